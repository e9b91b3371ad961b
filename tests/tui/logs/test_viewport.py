from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.logs.wire import line, lines
from tui.logs.filter import Filter
from tui.logs.record import Record
from tui.logs.ring import Ring
from tui.logs.structured import as_it_is, compact
from tui.logs.viewport import Viewport


def add(ring: Ring, count: int) -> None:
    ring.append(Record.read(each) for each in lines(ring.next, count))


def made(kept: int = 100, limit: int = 20_000, height: int = 10) -> tuple[Ring, Viewport]:
    ring = Ring(records=limit)
    view = Viewport(ring)
    view.resize(height, None)
    add(ring, kept)
    view.settle()
    return ring, view


def seen(view: Viewport) -> list[int]:
    return [row.number for row in view.rows]


def test_it_follows() -> None:
    ring, view = made()
    assert seen(view) == list(range(90, 100))
    add(ring, 3)
    assert view.settle()
    assert seen(view) == list(range(93, 103))
    assert not view.settle()


def test_few_lines_stand_at_the_top() -> None:
    _, view = made(3)
    assert seen(view) == [0, 1, 2]
    view.scroll(-3)
    assert view.is_following


def test_scrolling_up_pauses_and_counts_what_is_new() -> None:
    ring, view = made()
    view.scroll(-5)
    assert not view.is_following
    assert seen(view) == list(range(85, 95))
    add(ring, 7)
    assert not view.settle()
    assert seen(view) == list(range(85, 95))
    assert view.new_count == 7
    view.follow()
    assert (view.new_count, seen(view)[-1]) == (0, 106)


def test_scrolling_down_to_the_end_follows_again() -> None:
    _, view = made()
    view.scroll(-5)
    view.scroll(4)
    assert not view.is_following
    view.scroll(1)
    assert view.is_following


def test_nothing_moves_while_the_ring_is_full() -> None:
    ring, view = made(200, limit=200)
    view.scroll(-20)
    before = view.rows
    for _ in range(30):
        add(ring, 50)
        view.settle()
    assert ring.first > before[-1].number  # long gone
    assert view.rows == before
    assert view.new_count == len(ring)  # the others were pushed out as well
    view.scroll(1)
    assert seen(view)[0] == ring.first + 1
    assert view.skipped == ring.first - before[0].number


def test_following_goes_on_when_the_ring_is_full() -> None:
    ring, view = made(100, limit=100)
    for _ in range(20):
        add(ring, 1)
        assert view.settle()
        assert seen(view)[-1] == ring.next - 1


def test_what_nobody_can_have_seen_is_counted() -> None:
    ring, view = made(0, limit=50)
    add(ring, 130)
    view.settle()
    assert view.skipped == 80
    add(ring, 20)
    view.settle()
    assert view.skipped == 80
    view.follow()
    assert view.skipped == 0


def test_oldest_and_pages() -> None:
    _, view = made()
    view.oldest()
    assert (seen(view)[0], view.cursor) == (0, 0)
    view.page(1)
    assert (seen(view)[0], view.cursor) == (9, 9)
    view.page(-0.5)
    assert seen(view)[0] == 5
    for _ in range(20):
        view.page(1)
    assert view.is_following


def test_the_cursor_moves_the_view_only_at_its_edges() -> None:
    _, view = made()
    view.move_cursor(-1)
    assert (view.cursor, seen(view)) == (98, list(range(90, 100)))
    for _ in range(8):
        view.move_cursor(-1)
    assert seen(view)[0] == 90
    view.move_cursor(-1)
    assert (view.cursor, seen(view)[0]) == (89, 89)
    for _ in range(10):
        view.move_cursor(1)
    assert (view.cursor, seen(view)[-1]) == (99, 99)
    assert not view.is_following
    view.move_cursor(1)
    assert (view.is_following, view.cursor) == (True, None)


def test_a_far_line_comes_to_the_middle() -> None:
    _, view = made()
    view.choose(40)
    assert 40 in seen(view)[3:7]
    view.choose(0)
    assert seen(view)[0] == 0


def test_the_scroll_bar_ends_where_following_is() -> None:
    _, view = made()
    assert view.place == (90, 90)
    view.scroll_to(20)
    assert (view.place, seen(view)[0]) == ((20, 90), 20)
    view.scroll_to(90)
    assert view.is_following


def test_a_filter_keeps_the_place() -> None:
    _, view = made()
    view.scroll_to(50)
    view.show(Filter.read("/[05]$/"))
    assert seen(view)[0] == 50
    assert all(number % 5 == 0 for number in seen(view))
    assert view.hidden_count == 80
    view.show(Filter.read("nothing"))
    assert seen(view) == []
    view.show(Filter())
    view.follow()
    assert seen(view)[-1] == 99


def test_following_under_a_filter() -> None:
    ring, view = made()
    view.show(Filter.read("/0$/"))
    assert seen(view) == list(range(0, 100, 10))
    add(ring, 5)
    assert view.settle()  # line 100
    add(ring, 4)
    assert not view.settle()
    assert seen(view)[-1] == 100


def test_wrapped_lines_take_rows() -> None:
    ring = Ring()
    view = Viewport(ring)
    view.resize(4, 5)
    ring.append(
        [Record.read(line("abcdefgh")), Record.read(line("xy")), Record.read(line("1234567"))]
    )
    view.settle()
    assert [(row.number, row.part) for row in view.rows] == [(0, 1), (1, 0), (2, 0), (2, 1)]
    view.scroll(-1)
    assert [(row.number, row.part) for row in view.rows] == [(0, 0), (0, 1), (1, 0), (2, 0)]
    assert not view.is_following
    view.scroll(1)
    assert view.is_following


def test_turning_wrap_on_keeps_the_first_line() -> None:
    _, view = made()
    view.scroll_to(30)
    view.resize(10, 4)
    assert seen(view)[0] == 30
    view.resize(10, None)
    assert seen(view)[0] == 30


def test_more_height_shows_more_without_a_gap() -> None:
    _, view = made()
    view.scroll(-2)
    view.resize(30, None)
    assert seen(view) == list(range(70, 100))


@pytest.mark.parametrize(("direction", "expected"), [(1, 90), (-1, None)])
def test_by_time(direction: int, expected: Any) -> None:
    _, view = made()
    view.choose(30)  # one line a second
    at = "2026-11-21T10:01:30.000000Z" if direction > 0 else "2026-11-21T09:59:30.000000Z"
    view.go_to_time(at, 30, direction)
    assert view.cursor == (expected if expected is not None else 0)
    view.go_to_time("2027", 90, 1)
    assert view.is_following


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 40)),
        st.tuples(st.just("scroll"), st.integers(-30, 30)),
        st.tuples(st.just("scroll_to"), st.integers(0, 60)),
        st.tuples(st.just("page"), st.sampled_from([-1, -0.5, 0.5, 1])),
        st.tuples(st.just("move_cursor"), st.sampled_from([-1, 1])),
        st.tuples(
            st.just("resize"), st.tuples(st.integers(0, 12), st.sampled_from([None, 1, 3, 9]))
        ),
        st.tuples(st.just("show"), st.sampled_from(["", "1", "!1", "none"])),
        st.tuples(st.sampled_from(["settle", "follow", "oldest", "pause", "clear"]), st.none()),
    ),
    max_size=30,
)


@given(STEPS)
def test_whatever_happens_the_rows_make_sense(steps: list[tuple[str, Any]]) -> None:
    ring = Ring(records=50)
    view = Viewport(ring)
    height = 0
    for name, value in steps:
        before = view.rows
        was_paused = not view.is_following and len(before) == height
        match name, value:
            case "add", int(count):
                add(ring, count)
                view.settle()
                if was_paused:
                    assert view.rows == before
            case "resize", (int(height), width):
                view.resize(height, width)
            case "show", str(typed):
                view.show(Filter.read(typed))
            case "clear", _:
                ring.clear()
                view.follow()
            case _, None:
                getattr(view, name)()
            case _:
                getattr(view, name)(value)
        assert len(view.rows) <= height
        places = [(row.number, row.part) for row in view.rows]
        assert places == sorted(set(places))
        assert all(row.start <= row.end <= len(row.record.shown) for row in view.rows)
        if view.is_following and view.rows:
            assert view.rows[-1].number == view.numbers[-1]
        index, last = view.place
        assert 0 <= index <= len(view.numbers)
        assert index == last or not view.is_following
        assert view.new_count >= 0


def test_what_was_shown_at_once_is_not_new() -> None:
    ring = Ring()
    add(ring, 30)
    view = Viewport(ring)
    view.resize(10, None)  # a pane that was hidden until now
    view.move_cursor(-1)
    assert view.new_count == 0


def test_a_second_is_gone_to_with_what_was_before_it() -> None:
    ring = Ring()
    view = Viewport(ring)
    view.resize(5, None)
    ring.append(
        Record.read(line(f"line {index}", after_s=second))
        for index, second in enumerate((10, 20, 20.5, 20.9, 40, 50, 60, 70, 80))
    )
    view.settle()
    second = ring[1].at[:19]
    view.go_to_second(second)
    assert (view.cursor, view.is_following) == (3, False)
    view.go_to_second(ring[4].at[:19])
    assert view.cursor == 4
    view.go_to_second("2020-01-01T00:00:00")
    assert view.cursor == 0
    view.go_to_second("2030-01-01T00:00:00")
    assert (view.cursor, view.is_following) == (8, False)
    view.show(Filter.read("!2"))
    view.go_to_second(ring[2].at[:19])
    assert view.cursor == 3


def test_without_a_line_there_is_no_second_to_go_to() -> None:
    _, view = made(0)
    view.go_to_second("2026-11-21T10:00:00")
    assert (view.cursor, view.is_following) == (None, True)


def json_lines(count: int) -> list[dict[str, Any]]:
    text = '{{"level":"info","msg":"done","n":{},"more":"a b c d e f"}}'
    return [line(text.format(number), after_s=number) for number in range(count)]


def test_another_reading_keeps_the_record_and_the_cursor() -> None:
    ring = Ring()
    view = Viewport(ring)
    view.resize(10, 20)
    ring.append(map(Record.read, json_lines(50)))
    view.settle()
    view.choose(20)
    assert len([row for row in view.rows if row.number == 20]) > 2
    view.read(compact)
    assert view.cursor == 20
    row = next(row for row in view.rows if row.number == 20)
    assert row.record.text == 'INFO done n=20 more="a b c d e f"'
    assert row.kept is ring[20]
    assert len(view.rows) == 10
    view.read(as_it_is)
    assert all(row.record is row.kept for row in view.rows)


def test_another_reading_is_what_a_filter_looks_through() -> None:
    ring = Ring()
    view = Viewport(ring)
    view.resize(10, None)
    ring.append(map(Record.read, json_lines(30)))
    view.show(Filter.read("n=2"))
    assert seen(view) == []
    view.read(compact)
    assert seen(view) == [2, *range(20, 30)][-10:]
    assert [each.text[:13] for each in view.shown.records()][:2] == [
        "INFO done n=2",
        "INFO done n=2",
    ]
    view.read(as_it_is)
    assert seen(view) == []
