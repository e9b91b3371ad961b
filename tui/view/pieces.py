"""Rows as pieces of text with their styles, measured in the cells that a terminal gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Piece = tuple[str, str]
"""A text and its style, such as `("failed", "bold $state-failed")`."""

Row = tuple[Piece, ...]

MUTED = "$foreground-muted"
PLAIN = ""
TITLE = "bold"


def length(pieces: Iterable[Piece]) -> int:
    """How many cells they take."""
    return sum(cell_len(text) for text, _ in pieces)


def cut(text: str, cells: int, sign: str) -> str:
    """The text in at most so many cells; `sign` stands for what does not fit."""
    return text if cell_len(text) <= cells else _with_sign(text, cells, sign)


def _with_sign(text: str, cells: int, sign: str) -> str:
    room = cells - cell_len(sign)
    if room < 0:
        return ""
    # A wide character that is cut in half becomes a space, which would stand before the sign.
    return set_cell_size(text, min(room, cell_len(text))).rstrip() + sign


def cut_at_word(text: str, cells: int, sign: str) -> str:
    """Like `cut`, but no word is cut in its middle as long as there is room for one."""
    if cell_len(text) <= cells:
        return text
    room = max(cells - cell_len(sign), 0)
    words = set_cell_size(text, room).rpartition(" ")[0].rstrip()
    return f"{words} {sign}" if words else cut(text, cells, sign)


def left(text: str, cells: int, sign: str) -> str:
    """The text at the left edge of exactly so many cells."""
    text = cut(text, cells, sign)
    return text + " " * (cells - cell_len(text))


def right(text: str, cells: int, sign: str) -> str:
    """The text at the right edge of exactly so many cells."""
    text = cut(text, cells, sign)
    return " " * (cells - cell_len(text)) + text


def fit(pieces: Sequence[Piece], cells: int, sign: str) -> Row:
    """As many of the pieces as fit; the one at the edge is cut."""
    row: list[Piece] = []
    room = cells
    for index, (text, style) in enumerate(pieces):
        needed = cell_len(text)
        # What follows must have room for the sign at least.
        is_last = index == len(pieces) - 1 or not any(each for each, _ in pieces[index + 1 :])
        if needed > room or (needed == room and not is_last):
            row.append((_with_sign(text, room, sign), style))
            break
        row.append((text, style))
        room -= needed
    return tuple(each for each in row if each[0])


def spread(start: Sequence[Piece], end: Sequence[Piece], cells: int, sign: str) -> Row:
    """The start at the left edge and the end at the right one; the start is cut if need be."""
    room = cells - length(end)
    if room < min(cells // 3, length(start) + 1):
        return fit(start, cells, sign)
    row = fit(start, max(room - 1, 0), sign)
    return (*row, (" " * (room - length(row)), PLAIN), *end)


def joined(groups: Iterable[Sequence[Piece]], gap: Piece) -> Row:
    """Groups of pieces one after the other, with a gap between them; empty ones are left out."""
    row: list[Piece] = []
    for group in groups:
        if any(text for text, _ in group):
            row += [gap, *group] if row else group
    return tuple(row)


def plain(pieces: Iterable[Piece]) -> str:
    """Only the text."""
    return "".join(text for text, _ in pieces)
