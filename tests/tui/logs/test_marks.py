from __future__ import annotations

from tests.tui.logs.test_viewport import add
from tui.logs.filter import Filter
from tui.logs.marks import Marks
from tui.logs.ring import Ring
from tui.logs.shown import Shown
from tui.logs.structured import as_it_is


def made(count: int, limit: int = 100) -> tuple[Ring, Marks, Shown]:
    ring = Ring(records=limit)
    add(ring, count)
    return ring, Marks(ring), Shown(ring)


def test_a_mark_is_set_and_taken_away() -> None:
    _, marks, _ = made(10)
    assert marks.turn(3)
    assert marks.turn(7)
    assert marks.numbers == {3, 7}
    assert marks.turn(3)
    assert marks.numbers == {7}


def test_the_next_one_goes_round_the_end() -> None:
    _, marks, shown = made(10)
    assert marks.after(0, shown) is None
    marks.turn(3)
    marks.turn(7)
    assert [marks.after(each, shown) for each in (0, 3, 6, 7, 9)] == [3, 7, 7, 3, 3]


def test_marks_stay_as_long_as_their_records() -> None:
    ring, marks, shown = made(100)
    marks.turn(10)
    marks.turn(90)
    add(ring, 10)
    assert marks.numbers == {10, 90}
    add(ring, 1)
    assert marks.numbers == {90}
    assert marks.after(90, shown) == 90
    assert not marks.turn(10)
    ring.clear()
    assert marks.numbers == frozenset()
    assert marks.after(0, shown) is None


def test_what_the_filter_hides_is_not_gone_to() -> None:
    _, marks, shown = made(30)
    for number in (5, 15, 25):
        marks.turn(number)
    shown.use(Filter.read("line 1"), as_it_is)
    assert marks.after(0, shown) == 15
    assert marks.after(15, shown) == 15
