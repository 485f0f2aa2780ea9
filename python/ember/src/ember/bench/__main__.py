"""``python -m ember.bench``."""

import sys

from ember.bench.command import main

sys.exit(main())
