from __future__ import annotations

from datetime import timedelta
from typing import Any

from core.model import Stream
from tests.tui.logs.wire import START, line, lines
from tui.logs.levels import Level
from tui.logs.store import LogStore
from tui.view.glyphs import ASCII


def levels(store: LogStore) -> list[Level | None]:
    ring = store.ring(Stream.STDERR)
    return [record.level for record in ring.slice(0, ring.next)]


def pushed(*texts: str, **more: Any) -> LogStore:
    store = LogStore()
    store.push([line(text, stream="stderr", **more) for text in texts])
    return store


def test_every_stream_has_its_ring() -> None:
    store = LogStore()
    store.push([line("a"), line("b", stream="stderr"), line("c", stream="compartment")])
    assert [store.ring(stream)[0].text for stream in Stream] == ["c", "a", "b"]


def test_a_stream_of_a_later_version_is_left_out() -> None:
    store = LogStore()
    store.push([line("a", stream="traces"), line("b")])
    assert [len(store.ring(stream)) for stream in Stream] == [0, 1, 0]


def test_only_lines_of_the_platform_are_spelled_otherwise() -> None:
    store = LogStore(ASCII.said)
    texts = ("try \u2192 refused \u2014 again", "\x1b[31mred\x1b[0m \u2192")
    store.push(
        [line(each, stream=stream) for stream in ("compartment", "stdout") for each in texts]
    )
    own, others = store.ring(Stream.COMPARTMENT), store.ring(Stream.STDOUT)
    assert [own[at].text for at in (0, 1)] == ["try -> refused - again", "red \u2192"]
    assert others[0].text == texts[0]


def test_a_traceback_is_one_error_and_has_its_level_to_the_end() -> None:
    store = pushed(
        "INFO fine",
        "Traceback (most recent call last):",
        '  File "app.py", line 3, in <module>',
        '    raise Odd("ERROR")',
        "app.Odd: ERROR",
        "more",
    )
    error = Level.ERROR
    assert levels(store) == [Level.INFO, error, error, error, error, None]
    assert store.tally(Stream.STDERR).errors() == 1


def test_indented_lines_go_on_with_the_line_before() -> None:
    store = pushed("ERROR redis", "\tat pool.py:88", "next", "  indented")
    assert levels(store) == [Level.ERROR, Level.ERROR, None, None]
    assert store.tally(Stream.STDERR).errors() == 1


def test_another_deployment_is_another_story() -> None:
    store = LogStore()
    store.push(
        [
            line("ERROR a", stream="stderr", deployment="one"),
            line("  of the other", stream="stderr", deployment="two"),
        ]
    )
    assert levels(store) == [Level.ERROR, None]


def test_an_indented_error_counts() -> None:
    store = pushed("  2026-11-21 ERROR from a logger that indents")
    assert store.tally(Stream.STDERR).errors() == 1


def test_errors_are_counted_by_service() -> None:
    store = LogStore()
    store.push([line("ERROR", service="api"), line("ERROR", service="web"), line("fine")])
    tally = store.tally(Stream.STDOUT)
    assert (tally.total, tally.errors(), tally.errors("api"), tally.errors("cron")) == (3, 2, 1, 0)


def test_the_rate_is_that_of_the_last_whole_seconds() -> None:
    store = LogStore()
    store.push(lines(0, 200))  # one a second
    store.push([line("x", after_s=199) for _ in range(10)])
    tally = store.tally(Stream.STDOUT)
    assert tally.rate(START + timedelta(seconds=200)) == 3  # 5 seconds, 15 lines
    assert tally.rate(START + timedelta(seconds=199.5)) == 1
    assert tally.rate(START + timedelta(seconds=300)) == 0


def test_clear_forgets_one_stream() -> None:
    store = LogStore()
    store.push([line("ERROR a"), line("ERROR b", stream="stderr")])
    store.clear(Stream.STDOUT)
    assert len(store.ring(Stream.STDOUT)) == 0
    tally = store.tally(Stream.STDOUT)
    assert (tally.total, tally.errors(), tally.was_cleared) == (0, 0, True)
    assert store.tally(Stream.STDERR).errors() == 1
