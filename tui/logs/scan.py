"""The records of a ring that pass a test, found a slice at a time. Pure."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.logs.record import Record
    from tui.logs.ring import Ring

SLICE_BYTES = 2 * 1024 * 1024
SLICE = 4000
"""How much is looked at in one go: a few milliseconds, so that keys are answered meanwhile."""


class Scan:
    """The numbers of the records that pass, in order; the newest ones are found first.

    Whoever shows them calls `advance` on each tick: it takes in what came, forgets what the ring
    has pushed out, and looks at one more slice of what was there before.
    """

    def __init__(self, ring: Ring, test: Callable[[Record], bool]) -> None:
        self._ring = ring
        self._test = test
        self._low = self._high = ring.next
        self._numbers: deque[int] = deque()
        self.advance()

    @property
    def numbers(self) -> deque[int]:
        """The numbers found so far; what the ring has pushed out since is not among them."""
        first, numbers = self._ring.first, self._numbers
        while numbers and numbers[0] < first:
            numbers.popleft()
        return numbers

    @property
    def is_complete(self) -> bool:
        """Whether everything that is kept has been looked at."""
        return self._low <= self._ring.first and self._high == self._ring.next

    def advance(self) -> bool:
        """Looks at some more; whether the numbers have changed."""
        ring, numbers = self._ring, self._numbers
        before = numbers[0] if numbers else None, len(numbers)
        if ring.next - self._high > SLICE or self._high < ring.first:
            # Too much at once: again from the newest line, which is the one that is looked at.
            numbers.clear()
            self._low = self._high = ring.next
        numbers.extend(self._passing(self._high, ring.next))
        self._high = ring.next
        if self._low > ring.first:
            self._look_back()
        numbers = self.numbers
        return before != (numbers[0] if numbers else None, len(numbers))

    def _look_back(self) -> None:
        """One slice of older records."""
        start = max(self._ring.first, self._low - self._slice())
        self._numbers.extendleft(reversed(self._passing(start, self._low)))
        self._low = start

    def _slice(self) -> int:
        """How many records to look at: fewer where they are long."""
        average = self._ring.size_bytes // max(len(self._ring), 1) or 1
        return max(1, min(SLICE, SLICE_BYTES // average))

    def _passing(self, start: int, stop: int) -> list[int]:
        test = self._test
        start = max(start, self._ring.first)
        records = self._ring.slice(start, stop)
        return [start + index for index, record in enumerate(records) if test(record)]
