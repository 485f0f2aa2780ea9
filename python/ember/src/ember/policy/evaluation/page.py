"""One page of HTML that needs no other file: verdicts, tables and figures of the parts."""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING, Any, Final

from ember.policy.evaluation.plots import THEMES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_STYLE: Final = """
:root { color-scheme: light dark; --page: #fff; --text: #1c1e21; --faint: #5d636e;
  --line: #d9dce1; --good: #1f7a3a; --bad: #b3261e; --stripe: #f6f7f9; }
@media (prefers-color-scheme: dark) { :root { --page: #16181c; --text: #e4e6ea; --faint: #9aa1ad;
  --line: #3a3e46; --good: #6cc784; --bad: #ff8a80; --stripe: #1d2026; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 1rem; background: var(--page);
  color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin: 2.5rem 0 .25rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p { margin: .25rem 0; } .faint { color: var(--faint); }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; }
.scroll { overflow-x: auto; max-height: 32rem; border: 1px solid var(--line);
  border-radius: .4rem; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; }
th, td { padding: .3rem .6rem; text-align: left; vertical-align: top; }
th { position: sticky; top: 0; background: var(--page); border-bottom: 1px solid var(--line); }
tbody tr:nth-child(even) { background: var(--stripe); }
.number { text-align: right; }
td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
img { max-width: 100%; height: auto; border: 1px solid var(--line); border-radius: .4rem; }
li { overflow-wrap: anywhere; }
a { color: inherit; }
"""


def page(summary: dict[str, Any], folder: Path) -> str:
    """Write the page of what the command found.

    :param summary: as the command's JSON has it
    :param folder: where the figures are
    """
    parts: Sequence[dict[str, Any]] = summary["parts"]
    failed = sum(not part["passed"] for part in parts)
    verdict = f"{failed} of {len(parts)} parts failed" if failed else f"{len(parts)} parts passed"
    known = ", ".join(f"{name} {value}" for name, value in summary["setting"].items())
    links = " · ".join(f'<a href="#{each["name"]}">{escape(each["name"])}</a>' for each in parts)
    body = "\n".join(_part(part, folder) for part in parts)
    end = "" if summary["complete"] else '<p class="bad">It was interrupted: parts are absent.</p>'
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Evaluation of ember.policy</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Evaluation of ember.policy</h1>
<p class="{"bad" if failed else "good"}">{verdict}</p>
{end}
<p class="faint">{escape(known)}</p>
<p>{links}</p>
{body}
</body>
</html>
"""


def _part(part: dict[str, Any], folder: Path) -> str:
    word, style = ("passed", "good") if part["passed"] else ("failed", "bad")
    wrong = "".join(f"<li>{escape(each)}</li>" for each in part["wrong"])
    return "\n".join(
        [
            f'<section id="{escape(part["name"])}">',
            f'<h2>{escape(part["name"])} <span class="{style}">{word}</span></h2>',
            f'<p class="faint">{escape(part["question"])} ({part["seconds"]:.0f} s)</p>',
            f"<p>{escape(part['summary'])}</p>",
            f'<ul class="bad">{wrong}</ul>' if wrong else "",
            *(_figure(each, folder) for each in part["figures"]),
            *(_table(each) for each in part["tables"]),
            "</section>",
        ]
    )


def _table(table: dict[str, Any]) -> str:
    first = table["rows"][0] if table["rows"] else [""] * len(table["columns"])
    head = "".join(map(_head, table["columns"], first))
    rows = "\n".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in table["rows"])
    return (
        f'<h3>{escape(table["title"])}</h3>\n<div class="scroll"><table><thead><tr>{head}</tr>'
        f"</thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )


def _head(name: str, below: str | float) -> str:
    style = "" if isinstance(below, str) else ' class="number"'
    return f"<th{style}>{escape(name)}</th>"


def _cell(value: str | float) -> str:
    if isinstance(value, str):
        return f"<td>{escape(value)}</td>"
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"
    return f'<td class="number">{text}</td>'


def _figure(figure: dict[str, Any], folder: Path) -> str:
    """Put a figure's files into the page; without files, say so."""
    paths = {theme: folder / f"{figure['name']}{theme}.png" for theme in THEMES}
    title = escape(figure["title"])
    if not all(path.exists() for path in paths.values()):
        return f'<p class="faint">{title}: not drawn, for want of matplotlib</p>'
    light, dark = (
        f"data:image/png;base64,{base64.b64encode(paths[theme].read_bytes()).decode()}"
        for theme in THEMES
    )
    return (
        f'<h3>{title}</h3>\n<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
        f'<img alt="{title}" src="{light}"></picture>'
    )
