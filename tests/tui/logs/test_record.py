from __future__ import annotations

from tests.tui.logs.wire import line
from tui.logs.levels import Level
from tui.logs.record import SHOWN_LIMIT, Record


def test_a_wire_line_is_read() -> None:
    record = Record.read(line("\x1b[31mERROR\x1b[0m x", stream="stderr", service="api"))
    assert (record.stream, record.service, record.deployment_id) == ("stderr", "api", "dep_live")
    assert record.text == "ERROR x"
    assert record.level is Level.ERROR
    assert [(span.start, span.end) for span in record.spans] == [(0, 5)]
    assert record.at.startswith("2026-11-21T10:00:00")


def test_stderr_without_a_level_is_no_error() -> None:
    assert Record.read(line("just a note", stream="stderr")).level is None


def test_what_belongs_to_no_service_is_read() -> None:
    found = Record.read({"timestamp": "x", "stream": "compartment", "message": "run started"})
    assert (found.service, found.deployment_id) == ("", "")


def test_an_endless_line_is_kept_whole_and_shown_in_part() -> None:
    record = Record.read(line("x" * 10_000))
    assert len(record.text) == 10_000
    assert record.shown.startswith("x" * SHOWN_LIMIT + " [1808 more characters")
    short = Record.read(line("x" * SHOWN_LIMIT))
    assert short.shown == short.text


def test_codes_left_over_are_harmless() -> None:
    assert Record.read(line("a\x1b]0;title\x07b\x1b[2Jc\x9b1md")).text == "abcd"


def test_the_size_grows_with_the_text() -> None:
    small, large = (Record.read(line("x" * size)).size_bytes for size in (10, 5010))
    assert large - small == 5000
