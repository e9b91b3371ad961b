"""The rows of a log pane under the eye, and where they move. Pure."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from tui.logs.shown import Row, Shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.logs.filter import Filter
    from tui.logs.ring import Ring
    from tui.logs.structured import Reading


class Viewport:
    """Follows the newest lines, or stands still at a record while newer ones come.

    It holds on to records by their numbers, and keeps the rows that it shows: while it stands
    still, nothing under the eye moves, even when the ring has pushed those records out.
    """

    def __init__(self, ring: Ring) -> None:
        self.shown = Shown(ring)
        self._ring = ring
        self._height = 0
        self._top = (0, 0)
        self._next_seen = ring.next
        self._next_at_pause = ring.next
        self._seen = (-1, -1)
        self.is_following = True
        self.cursor: int | None = None
        """The record that was chosen; None while following."""
        self.rows: list[Row] = []
        self.skipped = 0
        """How many lines went by that nobody can have seen: pushed out before they were shown."""

    @property
    def filter(self) -> Filter:
        """What hides lines."""
        return self.shown.filter

    @property
    def numbers(self) -> Sequence[int]:
        """The numbers of the records that the filter shows, in order."""
        return self.shown.numbers

    @property
    def hidden_count(self) -> int:
        """How many of the lines that are kept the filter hides."""
        return len(self._ring) - len(self.numbers)

    @property
    def new_count(self) -> int:
        """How many lines have come since it stands still."""
        if self.is_following:
            return 0
        return len(self.numbers) - bisect_left(self.numbers, self._next_at_pause)

    @property
    def chosen(self) -> Row | None:
        """The row of the cursor, or else the last one."""
        found = [row for row in self.rows if row.number == self.cursor] or self.rows[-1:]
        return found[0] if found else None

    @property
    def place(self) -> tuple[int, int]:
        """How many records are above the view, and how many there are at the very end."""
        last = self.shown.tail(self._height)[0]
        return (last if self.is_following else self.shown.index(self._top[0])), last

    def show(self, wanted: Filter) -> None:
        """Takes another filter; the place is kept."""
        self.shown.use(wanted, self.shown.reading)
        self._lay_out()

    def read(self, reading: Reading) -> None:
        """Reads lines in another way, in which they may take other rows; the record is kept."""
        number, _ = self._corner()
        self.shown.use(self.filter, reading)
        if self.is_following:
            self._lay_out()
            return
        self._top = (number, 0)
        self._stand(self._found(), resumes=False)
        if self.cursor is not None and self.shown.has(self.cursor):
            self.choose(self.cursor)

    def resize(self, height: int, width: int | None) -> None:
        """Takes another height, and the width to wrap at; None leaves long lines uncut."""
        if (height, width) != (self._height, self.shown.width):
            corner, start = self._corner(), self.rows[0].start if self.rows else 0
            self._height, self.shown.width = height, width
            if not self.is_following and corner[0] >= self._ring.first and self.rows:
                starts = self.shown.starts(self.rows[0].record)
                self._top = (corner[0], sum(each <= start for each in starts) - 1)
            self._lay_out()
            if not self.is_following:
                self._stand(self._found(), resumes=False)
            if self.cursor is not None and self.cursor >= self._ring.first:
                self.choose(self.cursor)

    def settle(self) -> bool:
        """Takes in what came since the last time; whether other rows are shown."""
        ring = self._ring
        seen, self._seen = self._seen, (ring.first, ring.next)
        has_changed = self._seen != seen
        has_advanced = self.shown.advance()
        if has_advanced is not None:
            has_changed = has_advanced
        if self.is_following:
            self._see()
        elif len(self.rows) >= self._height:
            return False
        if has_changed:
            before = self.rows
            self._lay_out()
            return self.rows != before
        return False

    # Moving

    def follow(self) -> None:
        """Goes to the newest lines and stays with them."""
        self.is_following = True
        self.cursor = None
        self._next_seen = self._ring.next
        self._lay_out()
        self.skipped = 0

    def pause(self) -> None:
        """Stands still where it is."""
        if self.is_following:
            self._top = self._corner() if self.rows else (self._ring.next, 0)
            self._next_at_pause = self._next_seen
            self.is_following = False

    def scroll(self, rows: int) -> None:
        """Moves by some rows; at the very end it follows again."""
        index, part = self._found()
        self.pause()
        numbers = self.numbers
        part += rows
        while part < 0 and index > 0:
            index -= 1
            part += self.shown.count(numbers[index])
        while index < len(numbers) and part >= (count := self.shown.count(numbers[index])):
            index += 1
            part -= count
        self._stand((index, max(part, 0)))

    def scroll_to(self, index: int) -> None:
        """Goes to the record with so many others above it, as a scroll bar does."""
        self.pause()
        self._stand((max(0, index), 0))

    def oldest(self) -> None:
        """Goes to the first record that is kept."""
        self.pause()
        self.scroll_to(0)
        if self.rows and not self.is_following:
            self.cursor = self.rows[0].number

    def page(self, pages: float) -> None:
        """Moves by so many heights; a cursor comes along."""
        place = next((i for i, row in enumerate(self.rows) if row.number == self.cursor), None)
        self.scroll(round(pages * max(self._height - 1, 1)) or (1 if pages > 0 else -1))
        if not self.is_following and place is not None and self.rows:
            self.cursor = self.rows[min(place, len(self.rows) - 1)].number

    def move_cursor(self, step: int) -> None:
        """Chooses the next record or the one before; behind the last one it follows again."""
        chosen = self.chosen
        if chosen is None:
            return
        index = self.shown.index(chosen.number) + step
        if index >= len(self.numbers):
            self.follow()
        else:
            self.choose(self.numbers[max(0, index)])

    def choose(self, number: int) -> None:
        """Puts the cursor on a record, which is brought into view."""
        self.pause()
        self.cursor = number
        shown, height = self.shown, self._height
        whole = [row for row in self.rows if row.number == number]
        if whole and len(whole) == min(shown.count(number), height):
            return
        index = shown.index(number)
        first, last = (self.rows[0].number, self.rows[-1].number) if self.rows else (0, 0)
        if first - 1 <= number <= first:
            self._stand((index, 0), resumes=False)
        elif number in (last, shown.after(last)):
            self._stand(shown.back(index, shown.count(number) - 1, height - 1), resumes=False)
        else:
            self._stand(shown.back(index, 0, height // 2), resumes=False)

    def go_to_time(self, at: str, start: int, direction: int) -> None:
        """Chooses the first record after a number that was written at a time or later.

        With a negative direction, the last one before the number at that time or earlier. Where
        there is none, it goes to the end.
        """
        number = self.shown.at_time(at, start, direction)
        if number is not None:
            self.choose(number)
        elif direction > 0:
            self.follow()
        else:
            self.oldest()

    def go_to_second(self, second: str) -> None:
        """Chooses the last record of a second; without one, what was last before it."""
        number = self.shown.at_second(second)
        if number is not None:
            self.choose(number)

    # Rows

    def _corner(self) -> tuple[int, int]:
        """Number and part of the first row."""
        if self.is_following and self.rows:
            return self.rows[0].number, self.rows[0].part
        return self._top

    def _found(self) -> tuple[int, int]:
        """The first row by its place among the records that there are."""
        number, part = self._corner()
        return self.shown.index(number), part if self.shown.has(number) else 0

    def _stand(self, corner: tuple[int, int], *, resumes: bool = True) -> None:
        """Puts the first row somewhere; the end is as far as it goes."""
        tail = self.shown.tail(self._height)
        if corner >= tail and resumes:
            self.follow()
            return
        index, part = min(corner, tail)
        missed = self._ring.first - self._top[0]
        if missed > 0:
            self.skipped = missed
        self._top = (self.numbers[index] if index < len(self.numbers) else 0, part)
        self._lay_out()

    def _see(self) -> None:
        self.skipped += max(0, self._ring.first - self._next_seen)
        self._next_seen = self._ring.next

    def _lay_out(self) -> None:
        if self.is_following and self._height:
            self._see()
        index, part = self.shown.tail(self._height) if self.is_following else self._found()
        self.rows = self.shown.rows(index, part, self._height)
