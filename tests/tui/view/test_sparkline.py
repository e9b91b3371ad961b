from __future__ import annotations

import pytest

from tui.view.glyphs import ASCII
from tui.view.sparkline import sparkline

SIGNS = "01234567"


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([], "    "),
        ([0, 0], "  00"),
        ([0, 7], "  07"),
        ([0, 1, 2, 3, 7], "1237"),
        ([7, None, 0], " 7 0"),
        ([0.001, 7], "  17"),
        # What is far above nothing is drawn around its middle; it may not look wilder than it is.
        ([50, 50, 50, 51], "4444"),
        ([90, 100, 95, 92], "3544"),
        ([51, 100, 75, 75], "1744"),
    ],
)
def test_a_course(values: list[float | None], shown: str) -> None:
    assert sparkline(values, 4, SIGNS) == shown


def test_no_room() -> None:
    assert sparkline([1, 2], 0, SIGNS) == ""


def test_ascii() -> None:
    assert sparkline([0, 7], 2, ASCII.spark) == " #"
