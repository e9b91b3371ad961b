from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from core.lines import clean
from core.model import Stream
from tests.tui.logs.wire import line
from tui.logs.colours import Span, parse
from tui.logs.record import Record

CODED = st.lists(
    st.sampled_from(
        [
            "\x1b[",
            "\x1b",
            "m",
            "31",
            "38;5;",
            "38;2;1;2;",
            "48:2::9:9:9",
            "0",
            ";",
            ":",
            "\t",
            "4:3",
        ]
    )
    | st.text(max_size=6),
    max_size=30,
).map("".join)


def styles(raw: str) -> list[tuple[str, str]]:
    text, spans = parse(raw)
    return [(text[start:end], str(style)) for start, end, style in spans]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("plain", []),
        ("\x1b[31mred\x1b[0m not", [("red", "color(1)")]),
        ("\x1b[1;94mx\x1b[22my\x1b[39mz", [("x", "bold color(12)"), ("y", "color(12)")]),
        ("\x1b[38;5;208mx", [("x", "color(208)")]),
        ("\x1b[38;2;1;2;3;4mx", [("x", "underline rgb(1,2,3)")]),
        ("\x1b[38:2::1:2:3mx\x1b[38:2:9:8:7my", [("x", "rgb(1,2,3)"), ("y", "rgb(9,8,7)")]),
        ("\x1b[48:5:9;7mx", [("x", "reverse on color(9)")]),
        ("\x1b[58;5;1;3mx", [("x", "italic")]),
        ("\x1b[4:3mx\x1b[4:0my", [("x", "underline")]),
        ("\x1b[31ma\x1b[31mb", [("ab", "color(1)")]),
        ("\x1b[31mx\x1b[my", [("x", "color(1)")]),
        ("\x1b[5;8;9mblink, hidden, struck", []),
        ("\x1b[38;5;999mx\x1b[38;2;1mx\x1b[38;9mx\x1b[1234567mx", []),
    ],
)
def test_codes_become_spans(raw: str, expected: Any) -> None:
    found = styles(raw)
    assert [text for text, _ in found] == [text for text, _ in expected]
    for (_, style), (_, wanted) in zip(found, expected, strict=True):
        assert Style.parse(style) == Style.parse(wanted)


def test_tabs_stop_where_the_visible_text_is() -> None:
    assert parse("a\tb")[0] == "a       b"
    assert parse("\x1b[31ma\x1b[0m\tb") == ("a       b", (Span(0, 1, Style(color="color(1)")),))


@given(CODED)
def test_the_visible_text_stays_and_nothing_else(raw: str) -> None:
    kept = clean(raw)
    text, spans = parse(kept)
    assert "\x1b" not in text
    assert "\t" not in text
    # Taking the codes away first must leave the same characters.
    assert text.replace(" ", "") == parse(_without_codes(kept))[0].replace(" ", "")
    ends = [0, *(edge for span in spans for edge in (span.start, span.end)), len(text)]
    assert ends == sorted(ends)
    assert all(span.start < span.end for span in spans)


def _without_codes(text: str) -> str:
    pieces = text.split("\x1b[")
    return pieces[0] + "".join(piece.partition("m")[2] for piece in pieces[1:])


@given(CODED)
def test_a_record_has_nothing_that_could_steer_a_terminal(raw: str) -> None:
    record = Record.read(line(raw, stream=Stream.STDOUT))
    assert not any(char < " " or "\x7f" <= char < "\xa0" for char in record.text)
