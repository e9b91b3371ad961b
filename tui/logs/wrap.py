"""Cutting and wrapping text by terminal cells, never inside of a character. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len, split_graphemes


@lru_cache(2048)
def wrap(text: str, width: int) -> tuple[int, ...]:
    """Where the rows of a text begin when each has at most `width` cells; always one row.

    A row ends after a space where there is one in its second half, else where it is full. One
    space may hang over the edge.
    """
    if cell_len(text) <= width:
        return (0,)
    starts = [0]
    used = 0
    space = 0  # where a row could begin, behind the last space
    cells_behind = 0
    for start, end, cells in split_graphemes(text)[0]:
        hangs = text[start] == " " and used == width
        if used + cells > width and start > starts[-1] and not hangs:
            is_early = used - cells_behind <= width // 2
            begin, used = (start, 0) if space <= starts[-1] or is_early else (space, cells_behind)
            starts.append(begin)
        used += cells
        if text[start] == " ":
            space, cells_behind = end, 0
        else:
            cells_behind += cells
    return tuple(starts)


class Cut(NamedTuple):
    """The characters from `start` to `end` of a text, which take `cells`; `lead` go before them.

    The cells of a wide character that is cut in half stay empty.
    """

    start: int
    end: int
    lead: int
    cells: int


def cut(text: str, skip: int, width: int) -> Cut:
    """The part of a text behind `skip` cells that fits into `width` cells."""
    if text.isascii():
        start, end = min(skip, len(text)), min(skip + width, len(text))
        return Cut(start, end, 0, end - start)
    # An endless line is not measured to its end; combining characters take no cells.
    head = text[: 4 * (skip + width) + 64]
    found = _cut(head, skip, width)
    return _cut(text, skip, width) if found.end == len(head) < len(text) else found


def _cut(text: str, skip: int, width: int) -> Cut:
    first = last = len(text)
    position = lead = used = 0
    for start, _end, cells in split_graphemes(text)[0]:
        if position + cells > skip + width:
            last = start
            break
        if position >= skip and (cells or position > skip or not skip):
            if first == len(text):
                first, lead = start, position - skip
            used += cells
        position += cells
    return Cut(min(first, last), last, lead, used)
