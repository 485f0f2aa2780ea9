"""``python -m ember.policy``: commands of the toolkit."""

from __future__ import annotations

import argparse
import sys

from ember.policy.evaluation.command import add_to


def main() -> int:
    """Run the command that is named, and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m ember.policy", description="Decision policies")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_to(commands)
    wanted = parser.parse_args()
    code: int = wanted.run(wanted)
    return code


if __name__ == "__main__":
    sys.exit(main())
