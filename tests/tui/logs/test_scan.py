from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.tui.logs.wire import line, lines
from tui.logs.filter import Filter
from tui.logs.levels import Level
from tui.logs.pattern import Pattern
from tui.logs.record import Record
from tui.logs.ring import Ring
from tui.logs.scan import SLICE, SLICE_BYTES, Scan
from tui.logs.search import Search
from tui.logs.structured import as_it_is


def records(first: int, count: int) -> list[Record]:
    return [Record.read(each) for each in lines(first, count)]


def is_even(record: Record) -> bool:
    return int(record.text.split()[-1]) % 2 == 0


def searched(ring: Ring, typed: str, shown: Filter | None = None) -> Search:
    pattern = Pattern.read(typed)
    assert pattern is not None
    return Search(ring, pattern, shown or Filter(), as_it_is)


@given(st.lists(st.integers(0, 30), max_size=10), st.integers(1, 40), st.integers(0, 10))
def test_it_finds_what_is_kept(batches: list[int], limit: int, begin_after: int) -> None:
    ring = Ring(records=limit)
    scan: Scan | None = None
    count = 0
    for place, size in enumerate(batches):
        if place == begin_after:
            scan = Scan(ring, is_even)
        ring.append(records(count, size))
        count += size
        if scan is not None:
            scan.advance()
            kept = range(ring.first, ring.next)
            assert list(scan.numbers) == [number for number in kept if number % 2 == 0]
            assert scan.is_complete


def test_the_newest_are_found_first_and_never_too_many_at_once() -> None:
    looked_at = 0

    def test(record: Record) -> bool:
        nonlocal looked_at
        looked_at += 1
        return is_even(record)

    ring = Ring()
    ring.append(records(0, 3 * SLICE))
    scan = Scan(ring, test)
    assert looked_at == SLICE
    assert scan.numbers[-1] == 3 * SLICE - 2
    assert not scan.is_complete
    assert scan.advance()
    assert scan.advance()
    assert scan.is_complete
    assert looked_at == 3 * SLICE
    assert list(scan.numbers) == list(range(0, 3 * SLICE, 2))
    assert not scan.advance()
    assert looked_at == 3 * SLICE


def test_long_lines_make_a_slice_shorter() -> None:
    looked_at = 0

    def test(_: Record) -> bool:
        nonlocal looked_at
        looked_at += 1
        return True

    ring = Ring()
    ring.append(Record.read(line("x" * 8000)) for _ in range(1000))
    scan = Scan(ring, test)
    assert looked_at < SLICE_BYTES // 8000 + 1
    while not scan.is_complete:
        scan.advance()
    assert len(scan.numbers) == 1000


def test_a_flood_begins_again_at_the_newest() -> None:
    ring = Ring()
    ring.append(records(0, 10))
    scan = Scan(ring, is_even)
    ring.append(records(10, 2 * SLICE))
    scan.advance()
    assert scan.numbers[-1] == 2 * SLICE + 8
    while not scan.is_complete:
        scan.advance()
    assert list(scan.numbers) == list(range(0, 2 * SLICE + 10, 2))


def test_what_the_ring_pushed_out_is_not_found_even_between_ticks() -> None:
    ring = Ring(records=10)
    ring.append(records(0, 10))
    scan = Scan(ring, is_even)
    ring.append(records(10, 6))
    assert list(scan.numbers) == [6, 8]


def test_a_search_counts_and_goes_round() -> None:
    ring = Ring()
    ring.append(records(0, 30))
    search = searched(ring, "line 1")
    assert search.count == 11  # 1, 10 to 19
    assert search.step(1, 1) == 10
    assert search.step(19, 1) == 1
    assert search.step(1, -1) == 19
    assert search.step(15, -1) == 14
    assert search.newest(12) == 12
    assert search.newest(0) == 19
    assert search.describe(10) == "2 of 11"
    assert search.describe(5) == "11 lines"
    assert search.describe(None) == "11 lines"


def test_a_search_tells_that_there_is_nothing() -> None:
    ring = Ring()
    ring.append(records(0, 2 * SLICE))
    search = searched(ring, "nowhere")
    assert search.describe(None) == "searching"
    assert search.advance()  # nothing found, but that is now certain
    assert search.describe(None) == "not found"
    assert search.step(0, 1) is None
    assert search.newest(5) is None
    one = searched(ring, "line 77")
    while one.advance():
        pass
    assert one.count == 111


def test_a_count_that_still_grows_says_so() -> None:
    ring = Ring()
    ring.append(records(0, SLICE + 1))
    search = searched(ring, "line")
    assert search.describe(SLICE) == f"{SLICE} of {SLICE}+"
    search.advance()
    assert search.describe(SLICE) == f"{SLICE + 1} of {SLICE + 1}"


def test_a_search_looks_at_what_the_filter_shows() -> None:
    ring = Ring()
    ring.append([Record.read(line("ERROR job")), Record.read(line("job"))])
    assert searched(ring, "job", Filter(level=Level.ERROR)).count == 1


def test_a_search_sees_what_comes_later() -> None:
    ring = Ring()
    search = searched(ring, "job")
    ring.append([Record.read(line("a job"))])
    assert search.advance()
    assert search.count == 1
