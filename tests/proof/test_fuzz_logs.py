"""Any bytes that a program can print, on their way to the eyes of a person.

Shown: whatever a service writes (control codes, colours, broken UTF-8, NULs, lines of 100 MB), its
lines are cut, cleaned, masked, kept, read back, filtered, drawn in a pane of the dashboard and
printed by `compartment logs` without a traceback or a hang; a line of 100 MB takes no more memory
than a line that is kept. What comes out is text: on a terminal nothing but colours is obeyed, and
what hides a secret hides it however the bytes were cut. Expressions that somebody types are
looked for in linear time, also those that would keep others busy for years.

How: hypothesis makes bytes of the codes that terminals know, words, secrets and noise, and cuts
them anywhere. They take the way of a real log: the splitter, a log file, the reader, the wire, the
ring, the viewport and the rows of a pane, at any width. The endless lines are fed in chunks, while
memory is measured.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import strategies as st
from rich.style import Style

from core.cli.text import without_colour
from core.lines import LINE_LIMIT, LineSplitter
from core.logs.expression import BadExpression, Expression
from core.logs.reader import LogQuery, read
from core.logs.text import format_line
from core.logs.wire import chunks
from core.secrets import HIDDEN, Mask
from tests.logs.writing import WEB, write
from tui.logs.filter import Filter
from tui.logs.pattern import Pattern, PatternError
from tui.logs.record import Record
from tui.logs.ring import Ring
from tui.logs.structured import as_it_is, compact, pretty
from tui.logs.times import TimeMode
from tui.logs.viewport import Viewport
from tui.view.glyphs import ASCII, UNICODE
from tui.widgets.log_lines import Ink, LineLook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.proof.fuzz.trying import Fuzz

SECRETS = ("hunter2-hunter2", "pa\x1b[31mss word", 'with "quotes" & é', "two\nlines-of-it")
COLOUR = re.compile(r"\x1b\[[0-9;:]{0,64}m")
STEERS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
NOW = datetime(2026, 4, 24, 12, tzinfo=UTC)
INK = Ink(**dict.fromkeys(Ink.__slots__, Style()))
CODES = st.sampled_from([
    *(b"\x1b[31m", b"\x1b[38;5;1m", b"\x1b[0m", b"\x1b[2J", b"\x1b[1;1H", b"\x1b]0;t\x07", b"\x1b"),
    *(b"\x1bP", b"\x1b\\", b"\x9b31m", b"\xc2\x9b", b"\xc2\x9d0;x", b"\x1b[?1049h", b"\x1b[6n"),
    *(b"\r", b"\n", b"\r\n", b"\0", b"\x08", b"\x07", b"\t", b"\x7f", b"\x0e", b"\x1bc", b"\x1b(0"),
    *(b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x80\xae", b"\xf0\x9f\x91\x8d"),
    *("日本".encode(), "e\u0301".encode(), "\u200d".encode(), "\ufe0f".encode(), "\u202e".encode()),
    *(b'{"level":"error","msg":"', b'"}', b'{"a":' * 200, b"ERROR ", b"Traceback (most "),
    *(each.encode() for each in SECRETS),
])  # fmt: skip
OUTPUT = st.lists(CODES | st.binary(max_size=12), max_size=30).map(b"".join)
CUTS = st.lists(st.integers(0, 400), max_size=6)
VIEW = st.fixed_dictionaries({
    "width": st.integers(1, 90),
    "height": st.integers(0, 12),
    "is_wrapped": st.booleans(),
    "skip": st.integers(0, 40),
    "glyphs": st.sampled_from([ASCII, UNICODE]),
    "time": st.sampled_from(list(TimeMode)),
    "service_width": st.sampled_from([0, 3, 12]),
    "reading": st.sampled_from([as_it_is, compact]),
    "typed": st.sampled_from(["", "e", "!a", "/(a|b)+/", "É", "/\\x1b/", "!/./"]),
})  # fmt: skip


def lines_of(output: bytes, cuts: Sequence[int]) -> list[str]:
    """What is kept of an output that comes in pieces."""
    splitter = LineSplitter(Mask(SECRETS))
    places = sorted(min(each, len(output)) for each in cuts)
    found: list[str] = []
    for start, end in zip([0, *places], [*places, len(output)], strict=True):
        found += splitter.feed(output[start:end])
    return found + splitter.flush()


def draw(lines: Sequence[dict[str, Any]], view: dict[str, Any]) -> list[str]:
    """The rows of a pane as text."""
    options = dict(view)
    height, reading, typed = (options.pop(name) for name in ("height", "reading", "typed"))
    look = LineLook(ink=INK, now=NOW, pattern=Pattern.read(typed.removeprefix("!")), **options)
    ring = Ring()
    viewport = Viewport(ring)
    viewport.resize(height, look.text_width if look.is_wrapped else None)
    viewport.read(reading)
    viewport.show(Filter.read(typed))
    ring.append(map(Record.read, lines))
    viewport.settle()
    viewport.scroll(-3)
    drawn = []
    for row in viewport.rows:
        strip = look.strip(row, is_chosen=row.number % 2 == 0, selected=(1, 5))
        assert strip.cell_length == look.width
        drawn.append(strip.text)
        look.places(row)
    return drawn


def test_any_output(tmp_path: Path, fuzz: Fuzz) -> None:
    file = tmp_path / WEB.deployment_id / "dep_a.1.log"

    def follow(output: bytes, cuts: Sequence[int], view: dict[str, Any]) -> None:
        with fuzz.meter.measured(len(output)):
            kept = lines_of(output, cuts)
            file.unlink(missing_ok=True)
            write(file, *kept)
            sent = "".join(chunks(read(tmp_path, [WEB], LogQuery(grep=Expression("(?s).*")))))
            told = [json.loads(line) for line in sent.splitlines()]
            drawn = draw(told, view)
        assert [each["message"] for each in told] == kept
        for each in told:
            printed = format_line(each, service_width=8)
            for shown in (COLOUR.sub("", printed), without_colour(printed), *drawn):
                assert not STEERS.search(shown.replace("\t", "")), ascii(shown)
            pretty(each["message"])
        shown = "\n".join(COLOUR.sub("", each) for each in kept)
        assert "hunter2-hunter2" not in shown
        assert "lines-of-it" not in shown

    fuzz("output", follow, OUTPUT, CUTS, VIEW, short=80, whole_s=90)


@pytest.mark.parametrize(
    "piece",
    [b"a", b"\0", b"\xff", b"\r", b"\x1b[31m", b"\x1b]", b"\xe6\x97\xa5", b"hunter2-", b"x\r"],
    ids=["text", "nul", "no text", "returns", "colours", "strings", "wide", "secrets", "progress"],
)
def test_an_endless_line(piece: bytes, fuzz: Fuzz, extent: Callable[[int, int], int]) -> None:
    """100 MB without an end of line, in the chunks that a pipe has."""
    size_bytes = extent(4, 100) * 1024 * 1024
    chunk = (piece * 65_536)[:65_536]
    splitter = LineSplitter(Mask(SECRETS))
    with fuzz.meter.measured(len(chunk)):
        for _ in range(size_bytes // len(chunk)):
            assert splitter.feed(chunk) == []
        (kept,) = splitter.flush()
    assert len(kept) < LINE_LIMIT + 100
    assert not STEERS.search(COLOUR.sub("", kept).replace("\t", ""))
    draw([{**_line(), "message": kept}], {**_VIEW, "is_wrapped": True})
    fuzz.report(f"a line of {size_bytes >> 20} MB", 1)


_VIEW = {
    "width": 80, "height": 24, "is_wrapped": False, "skip": 0, "glyphs": UNICODE,
    "time": TimeMode.CLOCK, "service_width": 8, "reading": compact, "typed": "",
}  # fmt: skip


def _line() -> dict[str, Any]:
    names = ("deploymentId", "serviceName", "environmentName", "stream")
    return {"timestamp": "2026-04-24T10:01:00.000000Z", **dict.fromkeys(names, "web")}


@pytest.mark.parametrize(
    "typed",
    ["(a+)+$", "(a|a)*b", "(.*)*x", "(a?){60}a{60}", "a*a*a*a*a*a*b", "(?i)(A+)+$", "(\\w+\\s?)*!"],
)
def test_an_expression_that_others_never_end(typed: str, fuzz: Fuzz) -> None:
    text = "a" * LINE_LIMIT
    expression, pattern = Expression(typed), Pattern.read(f"/{typed}/")
    assert pattern is not None
    with fuzz.meter.measured(len(text)):
        expression.finds(text)
        pattern.matches(text)
        pattern.spans(text)
    fuzz.report(f"expression {typed}", 1)


def test_any_expression(fuzz: Fuzz) -> None:
    words = st.sampled_from([*"()[]{}|*+?.\\^$-,:=<>!#/aA1é \t", "(?", "{9", "\\d", "\\p{L}", "[^"])
    texts = st.text(max_size=60) | OUTPUT.map(lambda raw: "".join(lines_of(raw, ())))

    def look(typed: str, text: str) -> None:
        with fuzz.meter.measured(len(text)):
            with suppress(BadExpression):
                Expression(typed).finds(text)
            try:
                pattern = Filter.read(typed).pattern
            except PatternError:
                return
            spans = pattern.spans(text) if pattern else []
        assert all(0 <= start < end <= len(text) for start, end in spans)

    typed = st.lists(words, max_size=14).map("".join)
    slashed = typed.map(lambda each: f"/{each}/")
    fuzz("expressions", look, typed | slashed, texts, short=80, whole_s=30)


def test_secrets_are_hidden_however_they_are_cut() -> None:
    for secret in (SECRETS[0].encode(), SECRETS[2].encode()):
        output = b"before " + secret + b" after\n"
        for at in range(len(output)):
            assert lines_of(output, [at]) == [f"before {HIDDEN} after"]
