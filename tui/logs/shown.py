"""What a log pane shows of a ring: which records, how they read, and on how many rows. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from tui.logs.filter import Filter
from tui.logs.scan import Scan
from tui.logs.structured import as_it_is
from tui.logs.wrap import wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.logs.record import Record
    from tui.logs.ring import Ring
    from tui.logs.structured import Reading

_BEHIND = "~"
"""Comes after everything that a stamp can have."""


class Row(NamedTuple):
    """One row of the screen: the characters from `start` to `end` of a record's shown text."""

    number: int
    record: Record
    """The record as it reads here."""
    part: int
    """Which row of the record it is, from 0."""
    start: int
    end: int
    kept: Record
    """The record as the program wrote it."""


class Shown:
    """The records that a filter shows, in order; the place of one among them is its index."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._scan: Scan | None = None
        self.filter = Filter()
        self.reading: Reading = as_it_is
        self.width: int | None = None
        """The width to wrap at; None leaves long lines uncut."""

    @property
    def numbers(self) -> Sequence[int]:
        """The numbers of the records, in order."""
        if self._scan is not None:
            return self._scan.numbers
        return range(self._ring.first, self._ring.next)

    @property
    def is_complete(self) -> bool:
        """Whether the filter has looked at every record."""
        return self._scan is None or self._scan.is_complete

    def use(self, wanted: Filter, reading: Reading) -> None:
        """Takes another filter, and another way to read lines, which it looks through."""
        self.filter, self.reading = wanted, reading
        self._scan = None
        if wanted.is_active:
            self._scan = Scan(self._ring, lambda record: wanted.wants(record, reading))

    def advance(self) -> bool | None:
        """Looks at some more lines; whether others are shown now, None without a filter."""
        return self._scan.advance() if self._scan is not None else None

    def record(self, number: int) -> Record:
        """A record by its number, as it reads here."""
        return self.reading(self._ring[number])

    def records(self) -> list[Record]:
        """All of them, whether the filter has come to them yet or not."""
        kept, read = self._ring.slice(0, self._ring.next), self.reading
        return [read(each) for each in kept if self.filter.wants(each, read)]

    # Places

    def index(self, number: int) -> int:
        """How many records are before a number."""
        return bisect_left(self.numbers, number)

    def has(self, number: int) -> bool:
        """Whether the record is shown."""
        index = self.index(number)
        return index < len(self.numbers) and self.numbers[index] == number

    def after(self, number: int) -> int:
        """The number of the next record; of the last one it is its own."""
        index = self.index(number) + 1
        return self.numbers[index] if index < len(self.numbers) else number

    def between(self, first: int, last: int) -> list[int]:
        """The numbers from one up to and including another."""
        return list(islice(self.numbers, self.index(first), self.index(last + 1)))

    def at_time(self, at: str, start: int, direction: int) -> int | None:
        """The first record after a number that was written at a time or later.

        With a negative direction, the last one before the number at that time or earlier.
        """
        numbers, place = self.numbers, self.index(start)
        if direction > 0:
            later = (numbers[index] for index in range(place + 1, len(numbers)))
            return next((each for each in later if self._ring[each].at >= at), None)
        earlier = (numbers[index] for index in range(place - 1, -1, -1))
        return next((each for each in earlier if self._ring[each].at <= at), None)

    def at_second(self, second: str) -> int | None:
        """The last record of a second, or else the nearest before it, or else the first one."""
        numbers = self.numbers
        if not numbers:
            return None
        place = bisect_right(numbers, second + _BEHIND, key=lambda each: self._ring[each].at)
        return numbers[max(place - 1, 0)]

    # Rows

    def starts(self, record: Record) -> tuple[int, ...]:
        """Where the rows of a record begin."""
        return (0,) if self.width is None else wrap(record.shown, self.width)

    def count(self, number: int) -> int:
        """How many rows a record takes."""
        return 1 if self.width is None else len(self.starts(self.record(number)))

    def back(self, index: int, part: int, rows: int) -> tuple[int, int]:
        """The place that is so many rows before another one, as far as there are any."""
        part -= rows
        while part < 0 and index > 0:
            index -= 1
            part += self.count(self.numbers[index])
        return index, max(part, 0)

    def tail(self, height: int) -> tuple[int, int]:
        """Where the first row is when the last one is the newest."""
        last = len(self.numbers) - 1
        if last < 0:
            return 0, 0
        return self.back(last, self.count(self.numbers[last]) - 1, max(height - 1, 0))

    def rows(self, index: int, part: int, height: int) -> list[Row]:
        """As many rows as there is height for, from one place on."""
        numbers, rows = self.numbers, list[Row]()
        while index < len(numbers) and len(rows) < height:
            number = numbers[index]
            kept = self._ring[number]
            record = self.reading(kept)
            starts = self.starts(record)
            ends = (*starts[1:], len(record.shown))
            for each in range(part, min(len(starts), part + height - len(rows))):
                rows.append(Row(number, record, each, starts[each], ends[each], kept))
            index, part = index + 1, 0
        return rows
