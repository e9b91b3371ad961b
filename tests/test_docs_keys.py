"""The pages about keys say what the table of keys says."""

from __future__ import annotations

import re
from pathlib import Path

from tui.keys import KEYS
from tui.view.glyphs import ASCII, UNICODE
from tui.view.help import keys_text, legend, markdown

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


def rows(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading."""
    table = text.split(f"\n## {heading}\n", 1)[1].split("\n|---", 1)[1].split("\n\n", 1)[0]
    return [line.strip("| ").split(" | ") for line in table.splitlines()[1:]]


def test_the_page_of_keys_is_made_from_the_table() -> None:
    page = (DOCS / "keys.md").read_text()
    made = (
        "python -c 'from tui.view.help import *; from tui.keys import KEYS; print(markdown(KEYS))'"
    )
    assert page == markdown(KEYS), f"make it anew: {made}"


def test_keys_that_other_pages_name_exist() -> None:
    known = {key for each in KEYS for key in keys_text(each).split(" ")}
    named = [
        *rows((ROOT / "README.md").read_text(), "The dashboard"),
        *rows(_dashboard(), "Log panes"),
    ]
    for keys, _ in named:
        for key in re.findall("`([^`]+)`", keys):
            assert key in known, key


def test_the_signs_in_the_page_are_those_that_are_shown() -> None:
    shown = {
        (sign, plain)
        for (sign, *_), (plain, *_) in zip(legend(UNICODE), legend(ASCII), strict=True)
    }
    written = {(row[0].strip("`"), row[1].strip("`")) for row in rows(_dashboard(), "Signs")}
    assert written <= shown
    assert len(written) == 10


def _dashboard() -> str:
    return (DOCS / "dashboard.md").read_text()
