"""Text for people: aligned tables, durations, colours where they can be seen. Pure."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING

from core.lines import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NONE = "-"
"""What stands in a table where there is nothing."""

_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")
_GREEN, _YELLOW, _RED = "32", "33", "31"
_COLOURS = {
    "active": _GREEN,
    "healthy": _GREEN,
    "ok": _GREEN,
    "succeeded": _GREEN,
    "pending": _YELLOW,
    "queued": _YELLOW,
    "running": _YELLOW,
    "warning": _YELLOW,
    "FAIL": _RED,
    "failed": _RED,
    "rolled_back": _RED,
    "unhealthy": _RED,
}


def is_utf8(text: str) -> bool:
    """Whether a text from outside, such as an argument, was UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def without_colour(text: str) -> str:
    """The text without the colour codes that log lines keep as data."""
    return _COLOUR.sub("", text)


def plain(text: str) -> str:
    """A line that somebody else wrote, with nothing in it that could steer a terminal."""
    return without_colour(clean(text))


def plain_lines(text: str) -> list[str]:
    """The same for a text of several lines."""
    return [plain(line) for line in text.split("\n")]


def first_line(text: str | None, limit: int = 80) -> str:
    """The first line of a failure, cut to a length that fits into a table."""
    line = plain_lines(text)[0] if text else ""
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def duration(seconds: float) -> str:
    """`420ms`, `12.3s`, `2m 5s`, `3h 12m`, `4d 2h`; never rounded up."""
    if seconds < 1:
        return f"{int(max(seconds, 0) * 1000)}ms"
    if seconds < 60:
        return f"{int(seconds * 10) / 10:.1f}s"
    for unit, size, smaller, part in (("d", 86_400, "h", 3600), ("h", 3600, "m", 60)):
        if seconds >= size:
            return _two(int(seconds) // size, unit, int(seconds) % size // part, smaller)
    return _two(int(seconds) // 60, "m", int(seconds) % 60, "s")


def _two(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large}{unit} {small}{smaller}" if small else f"{large}{unit}"


def seconds_between(start: str, end: str) -> float:
    """The time from one ISO 8601 moment to another."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def moment(at: str | None) -> str:
    """A time stamp to the second."""
    return f"{at[:19]}Z" if at else NONE


def columns(rows: Iterable[Sequence[str]], *, colour: bool, indent: str = "") -> list[str]:
    """Rows as aligned lines; with `colour`, words such as `healthy` get theirs, and no others."""
    rows = [[plain(cell) for cell in row] for row in rows]
    count = max(map(len, rows), default=0)
    widths = [max(_width(row[i]) for row in rows if i < len(row)) for i in range(count)]
    return [indent + _row(row, widths, colour=colour) for row in rows]


def _row(row: Sequence[str], widths: Sequence[int], *, colour: bool) -> str:
    cells = []
    for cell, width in zip(row, widths, strict=False):
        padding = " " * (width - _width(cell))
        code = _COLOURS.get(cell) if colour else None
        cells.append((f"\x1b[{code}m{cell}\x1b[0m" if code else cell) + padding)
    return "  ".join(cells).rstrip()


def _width(text: str) -> int:
    """How many cells a text takes: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(bool(unicodedata.combining(char)) for char in text)


def pairs(rows: Iterable[tuple[str, object]], indent: str = "") -> list[str]:
    """Names and values, aligned; `n/a` for what is not there."""
    named = [(f"{name}:", "n/a" if value is None else str(value)) for name, value in rows]
    return columns(named, colour=False, indent=indent)


def counted(count: int, noun: str) -> str:
    """`1 service`, `2 services`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
