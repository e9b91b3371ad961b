"""Rows of styled cells as aligned lines that fit into a width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

if TYPE_CHECKING:
    from collections.abc import Sequence

Cell = Content | str
Row = tuple[Cell, ...]

GAP = 2
LEAST = 4
"""What a cell that gives way keeps."""


def cut(content: Cell, width: int, sign: str) -> Content:
    """The content in at most `width` cells; what does not fit is replaced by `sign`."""
    whole = content if isinstance(content, Content) else Content(content)
    if whole.cell_length <= width:
        return whole
    room = width - Content(sign).cell_length
    return Content(sign[: max(width, 0)]) if room <= 0 else whole.truncate(room) + sign


def aligned(
    rows: Sequence[Row], width: int, sign: str, gives_way: Sequence[int] = ()
) -> list[Content]:
    """One line for each row, of at most `width` cells.

    Args:
        rows: Cells; the last ones of a row may be missing.
        width: Room for a line.
        sign: Stands for what does not fit.
        gives_way: The columns that get narrower when the lines are too wide, the first one first.
    """
    if not rows:
        return []
    widths = _fitted(_widths(rows), width, gives_way)
    return [_line(row, widths, width, sign) for row in rows]


def _widths(rows: Sequence[Row]) -> list[int]:
    count = max(map(len, rows))
    return [
        max(_length(row[column]) for row in rows if column < len(row)) for column in range(count)
    ]


def _length(cell: Cell) -> int:
    return (cell if isinstance(cell, Content) else Content(cell)).cell_length


def _fitted(widths: list[int], room: int, gives_way: Sequence[int]) -> list[int]:
    shown = sum(each > 0 for each in widths)
    excess = sum(widths) + GAP * max(shown - 1, 0) - room
    for column in gives_way:
        taken = min(max(excess, 0), max(widths[column] - LEAST, 0))
        widths[column] -= taken
        excess -= taken
    return widths


def _line(row: Row, widths: Sequence[int], room: int, sign: str) -> Content:
    cells = [
        cut(cell, size, sign).pad_right(size - min(_length(cell), size))
        for cell, size in zip(row, widths, strict=False)
        # A column without anything in it takes no room.
        if size
    ]
    return cut(Content(" " * GAP).join(cells).rstrip(), room, sign)


def hanging(text: Cell, width: int, indent: int) -> list[Content]:
    """The text in lines of at most `width` cells, each of which begins after `indent` cells."""
    whole = text if isinstance(text, Content) else Content(text)
    margin = Content(" " * indent)
    return [margin + line.rstrip() for line in whole.wrap(max(width - indent, LEAST))]
