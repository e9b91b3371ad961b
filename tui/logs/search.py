"""Looking for text in the lines that are shown, without hiding the others. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from tui.logs.scan import Scan

if TYPE_CHECKING:
    from tui.logs.filter import Filter
    from tui.logs.pattern import Pattern
    from tui.logs.ring import Ring
    from tui.logs.structured import Reading


class Search:
    """The lines in which a pattern is found; counts grow while older lines are looked at."""

    def __init__(self, ring: Ring, pattern: Pattern, shown: Filter, reading: Reading) -> None:
        self.pattern = pattern
        self._scan = Scan(
            ring,
            lambda record: shown.wants(record, reading) and pattern.matches(reading(record).shown),
        )

    def advance(self) -> bool:
        """Looks at some more; whether there is anything new to tell."""
        was_complete = self._scan.is_complete
        return self._scan.advance() or self._scan.is_complete is not was_complete

    @property
    def count(self) -> int:
        """How many lines have been found so far."""
        return len(self._scan.numbers)

    def step(self, number: int, direction: int) -> int | None:
        """The next line after a number, or the one before it; round the end; None for none."""
        numbers = self._scan.numbers
        if not numbers:
            return None
        if direction > 0:
            return numbers[bisect_right(numbers, number) % len(numbers)]
        return numbers[bisect_left(numbers, number) - 1]

    def newest(self, at_most: int) -> int | None:
        """The last line that is not after a number; None for none."""
        return self.step(at_most + 1, -1)

    def describe(self, number: int | None) -> str:
        """`2 of 14`, `14 lines`, `not found`; with `+` while older lines are looked at."""
        numbers = self._scan.numbers
        more = "" if self._scan.is_complete else "+"
        if not numbers:
            return "not found" if self._scan.is_complete else "searching"
        if number is not None:
            place = bisect_left(numbers, number)
            if place < len(numbers) and numbers[place] == number:
                return f"{place + 1} of {len(numbers)}{more}"
        noun = "line" if len(numbers) == 1 else "lines"
        return f"{len(numbers)}{more} {noun}"
