"""A course of figures as one row of signs."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def sparkline(values: Sequence[float | None], width: int, signs: str) -> str:
    """The newest `width` values, the newest at the right edge; a value that is missing is a gap.

    Heights begin at nothing. What stays in the upper half of that, such as memory, would be one
    solid bar: of it half as much is seen, around its own middle.

    Args:
        values: Oldest first.
        width: Cells to fill.
        signs: From nothing to full.
    """
    newest = values[-width:] if width > 0 else ()
    known = [each for each in newest if each is not None]
    least, most = min(known, default=0), max(known, default=0)
    if least > most / 2:
        middle = (least + most) / 2
        least, most = middle - most / 4, middle + most / 4
    else:
        least = 0
    drawn = "".join(_sign(each, least, most, signs) for each in newest)
    return " " * (width - len(drawn)) + drawn


def _sign(value: float | None, least: float, most: float, signs: str) -> str:
    if value is None:
        return " "
    if value <= 0:
        return signs[0]
    # Whatever is more than nothing is seen.
    return signs[max(1, ceil((value - least) / (most - least) * (len(signs) - 1)))]
