"""The newest lines of one stream, in bounded memory. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.logs.record import Record

RECORDS = 20_000
SIZE_BYTES = 16 * 1024 * 1024


class Ring:
    """Keeps the newest records under a cap on their number and one on their size.

    Every record has a number of its own for ever, so that whoever reads can hold on to a place
    while older ones are pushed out: those from `first` up to but not including `next` are kept.
    """

    def __init__(self, records: int = RECORDS, size_bytes: int = SIZE_BYTES) -> None:
        self._limit = records
        self._limit_bytes = size_bytes
        self._slots: list[Record | None] = []
        self.first = 0
        self.next = 0
        self.size_bytes = 0
        self.trimmed = 0
        """How many were pushed out by newer ones."""

    def __len__(self) -> int:
        return self.next - self.first

    def append(self, records: Iterable[Record]) -> None:
        """Takes over newer records; the oldest ones make room."""
        slots, limit = self._slots, self._limit
        for record in records:
            if self.next - self.first == limit:
                self._trim()
            slot = self.next % limit
            if slot == len(slots):
                slots.append(record)
            else:
                slots[slot] = record
            self.next += 1
            self.size_bytes += record.size_bytes
            # The newest one stays, however large it is.
            while self.size_bytes > self._limit_bytes and self.next - self.first > 1:
                self._trim()

    def _trim(self) -> None:
        slot = self.first % self._limit
        record = self._slots[slot]
        assert record is not None
        self._slots[slot] = None
        self.size_bytes -= record.size_bytes
        self.first += 1
        self.trimmed += 1

    def __getitem__(self, number: int) -> Record:
        record = self._slots[number % self._limit] if self.first <= number < self.next else None
        if record is None:
            raise IndexError(number)
        return record

    def slice(self, start: int, stop: int) -> list[Record]:
        """The records from one number up to another, as far as they are kept."""
        start, stop = max(start, self.first), min(stop, self.next)
        if start >= stop:
            return []
        low, high = start % self._limit, stop % self._limit
        found = self._slots[low:high] if low < high else self._slots[low:] + self._slots[:high]
        return [record for record in found if record is not None]

    def at_second(self, second: str) -> list[Record]:
        """The records that were written within a second, such as `2026-11-21T10:00:00`."""
        return [each for each in self.slice(0, self.next) if each.at.startswith(second)]

    def clear(self) -> None:
        """Forgets all of them; the numbers go on."""
        self._slots = [None] * len(self._slots)
        self.first = self.next
        self.size_bytes = 0
