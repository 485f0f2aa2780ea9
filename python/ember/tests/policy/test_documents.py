"""The tutorial: every block of Python in it runs, in its order."""

import re
from pathlib import Path

import pytest

TUTORIAL = Path(__file__).resolve().parents[4] / "docs" / "policy.md"


@pytest.mark.usefixtures("spark")
def test_the_tutorial_runs(tmp_path, capsys):
    text = TUTORIAL.read_text().replace('"policy-model"', f'"{tmp_path}/model"')
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 6
    names = {"__name__": "tutorial"}
    for at, block in enumerate(blocks, 1):
        exec(compile(block, f"block {at} of {TUTORIAL.name}", "exec"), names)
    assert capsys.readouterr().out
