from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.logs.wire import line
from tui.logs.record import Record
from tui.logs.ring import Ring


def made(first: int, count: int, text: str = "") -> list[Record]:
    return [Record.read(line(f"{number}{text}")) for number in range(first, first + count)]


@given(st.lists(st.integers(0, 25), max_size=12), st.integers(1, 10))
def test_the_newest_are_kept_under_their_numbers(batches: list[int], limit: int) -> None:
    ring = Ring(records=limit)
    everything: list[Record] = []
    for size in batches:
        batch = made(len(everything), size)
        ring.append(batch)
        everything += batch
        assert ring.next == len(everything)
        assert len(ring) == min(limit, len(everything))
        assert ring.trimmed == ring.first == len(everything) - len(ring)
        assert ring.slice(0, ring.next) == everything[ring.first :]
        assert [ring[number] for number in range(ring.first, ring.next)] == everything[ring.first :]
        assert ring.size_bytes == sum(record.size_bytes for record in everything[ring.first :])


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=40))
def test_the_size_is_capped_but_the_newest_stays(sizes: list[int]) -> None:
    ring = Ring(records=1000, size_bytes=4000)
    for size in sizes:
        ring.append(made(0, 1, "x" * size))
        assert ring.size_bytes <= 4000 or len(ring) == 1
        assert ring[ring.next - 1].text == "0" + "x" * size


@given(st.integers(0, 30), st.integers(-3, 40), st.integers(-3, 40))
def test_a_slice_is_what_is_kept_of_it(count: int, start: int, stop: int) -> None:
    ring = Ring(records=7)
    ring.append(made(0, count))
    expected = [f"{number}" for number in range(max(start, ring.first), min(stop, ring.next))]
    assert [record.text for record in ring.slice(start, stop)] == expected


def test_what_is_gone_is_gone() -> None:
    ring = Ring(records=2)
    ring.append(made(0, 3))
    for number in (0, 3, -1):
        with pytest.raises(IndexError):
            ring[number]


def test_clear_goes_on_counting() -> None:
    ring = Ring(records=3)
    ring.append(made(0, 5))
    ring.clear()
    assert (len(ring), ring.first, ring.size_bytes, ring.trimmed) == (0, 5, 0, 2)
    ring.append(made(5, 4))
    assert [record.text for record in ring.slice(0, 99)] == ["6", "7", "8"]


def test_the_lines_of_a_second() -> None:
    ring = Ring()
    ring.append(Record.read(line(str(at), after_s=at)) for at in (0.2, 1.1, 1.9, 2.0))
    assert [record.text for record in ring.at_second("2026-11-21T10:00:01")] == ["1.1", "1.9"]
