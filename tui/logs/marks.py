"""Lines that a person has marked. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.logs.ring import Ring
    from tui.logs.shown import Shown


class Marks:
    """The numbers of marked records; a mark is gone when its record is."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._numbers: set[int] = set()

    @property
    def numbers(self) -> frozenset[int]:
        """Those whose records are kept."""
        if self._numbers and min(self._numbers) < self._ring.first:
            self._numbers = {each for each in self._numbers if each >= self._ring.first}
        return frozenset(self._numbers)

    def turn(self, number: int) -> bool:
        """Marks a record, or takes its mark away; whether it is kept, and so can have one."""
        if number < self._ring.first:
            return False
        self._numbers ^= {number}
        return True

    def after(self, number: int, shown: Shown) -> int | None:
        """The next marked record that is shown, from the oldest on again; None for none."""
        found = sorted(each for each in self.numbers if shown.has(each))
        return next((each for each in found if each > number), found[0] if found else None)
