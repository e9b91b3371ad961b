"""Colours that programs put into their lines (SGR codes), read once into spans. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.color import Color
from rich.style import Style

if TYPE_CHECKING:
    from collections.abc import Iterator

TAB = 8

_CODE = re.compile(r"\x1b\[([0-9;:]*)m")


class Span(NamedTuple):
    """Characters of a line that have a style of their own."""

    start: int
    end: int
    style: Style


@dataclass(frozen=True, slots=True)
class _Pen:
    """What the codes so far have switched on; colours are kept as Rich spells them."""

    colour: str | None = None
    ground: str | None = None
    bold: bool | None = None
    dim: bool | None = None
    italic: bool | None = None
    underline: bool | None = None
    reverse: bool | None = None


_PLAIN = _Pen()
# Blinking and hidden text are left out: a line must be readable, and not shout.
_SWITCHES: dict[int, dict[str, Any]] = {
    1: {"bold": True},
    2: {"dim": True},
    3: {"italic": True},
    4: {"underline": True},
    7: {"reverse": True},
    21: {"underline": True},
    22: {"bold": None, "dim": None},
    23: {"italic": None},
    24: {"underline": None},
    27: {"reverse": None},
    39: {"colour": None},
    49: {"ground": None},
    **{30 + number: {"colour": f"color({number})"} for number in range(8)},
    **{40 + number: {"ground": f"color({number})"} for number in range(8)},
    **{90 + number: {"colour": f"color({8 + number})"} for number in range(8)},
    **{100 + number: {"ground": f"color({8 + number})"} for number in range(8)},
}


def parse(raw: str) -> tuple[str, tuple[Span, ...]]:
    """The visible text of a line, tabs as spaces, and the spans in which it has colours."""
    if "\x1b" not in raw:
        return raw.expandtabs(TAB), ()
    pieces: list[str] = []
    spans: list[Span] = []
    pen = _PLAIN
    column = 0
    for number, part in enumerate(_CODE.split(raw)):
        if number % 2:
            pen = _apply(pen, part)
        elif part:
            piece = _expand(part, column)
            if pen != _PLAIN:
                _add(spans, Span(column, column + len(piece), _style(pen)))
            pieces.append(piece)
            column += len(piece)
    return "".join(pieces), tuple(spans)


def _expand(part: str, column: int) -> str:
    before = column % TAB
    return (" " * before + part).expandtabs(TAB)[before:] if "\t" in part else part


def _add(spans: list[Span], span: Span) -> None:
    if spans and spans[-1].end == span.start and spans[-1].style == span.style:
        span = Span(spans.pop().start, span.end, span.style)
    spans.append(span)


@lru_cache(4096)
def _apply(pen: _Pen, codes: str) -> _Pen:
    """The pen after one escape sequence, such as `1;38;5;208`."""
    parts = iter(codes.split(";"))
    for part in parts:
        first, *details = part.split(":")
        code = _number(first)
        if code == 0:
            pen = _PLAIN
        elif code in (38, 48, 58):
            colour = _colour(details) if details else _colour_of_parts(parts)
            if colour is not None and code == 38:
                pen = replace(pen, colour=colour)
            elif colour is not None and code == 48:
                pen = replace(pen, ground=colour)
        elif code == 4 and details == ["0"]:
            pen = replace(pen, underline=None)
        elif code in _SWITCHES:
            pen = replace(pen, **_SWITCHES[code])
    return pen


def _number(text: str) -> int:
    """A parameter; one that is left out is 0, and one that is absurd no code at all."""
    return int(text or 0) if len(text) <= 3 else -1


def _colour_of_parts(parts: Iterator[str]) -> str | None:
    """The colour whose numbers stand in the next parameters, as most programs write it."""
    kind = next(parts, "")
    count = {"5": 1, "2": 3}.get(kind, 0)
    return _colour([kind, *islice(parts, count)])


def _colour(details: list[str]) -> str | None:
    """The colour of `5:208`, `2:255:0:0` or `2::255:0:0`."""
    kind, *numbers = details
    if kind == "2" and len(numbers) >= 4:
        numbers = numbers[1:]  # the first one is a colour space
    wanted = {"5": 1, "2": 3}.get(kind)
    values = [_number(number) for number in numbers[:wanted]]
    if wanted is None or len(values) != wanted or not all(0 <= each <= 255 for each in values):
        return None
    return f"color({values[0]})" if wanted == 1 else "rgb({},{},{})".format(*values)


def _parsed(colour: str | None) -> Color | None:
    return Color.parse(colour) if colour is not None else None


@lru_cache(4096)
def _style(pen: _Pen) -> Style:
    return Style(
        color=_parsed(pen.colour),
        bgcolor=_parsed(pen.ground),
        bold=pen.bold,
        dim=pen.dim,
        italic=pen.italic,
        underline=pen.underline,
        reverse=pen.reverse,
    )
