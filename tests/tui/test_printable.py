"""What is drawn is nothing that a terminal obeys, and stays as wide as it was."""

from __future__ import annotations

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from tui.printable import Printable

BACKGROUND = Color(0, 0, 0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web", "web"),
        ("a\x1b]0;owned\x07b", "a]0;ownedb"),
        ("a\x9b31mb\tc\x00\x7f", "a31mbc"),
        ("a\u202eb\u2066c\u200bd\u2028e", "abcde"),
        ("so\xadft", "so\ufffdft"),
        ("\U0001f468\u200d\U0001f467 é 日本", "\U0001f468\u200d\U0001f467 é 日本"),
    ],
)
def test_text(text: str, expected: str) -> None:
    bold = Style(bold=True)
    segments = [Segment("x", None), Segment(text, bold)]
    found = Printable().apply(segments, BACKGROUND)
    assert found == [Segment("x", None), Segment(expected, bold)]
    assert Segment.get_line_length(found) == Segment.get_line_length(segments)
