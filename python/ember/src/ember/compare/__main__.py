"""``python -m ember.compare``."""

import sys

from ember.compare.command import main

sys.exit(main())
