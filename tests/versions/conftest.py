"""Where the means are to make environments, and the table of pairs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "environments"))
sys.path.insert(0, str(Path(__file__).parents[2] / "ci"))
