"""Who reaches whom: a table of all services where there is room for it, else sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from tui.view import words
from tui.view.columns import GAP, Row, aligned, hanging

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tui.view.glyphs import Glyphs

_MUTED = "$foreground-muted"
_STRONG = "bold"
_INDENT = 3


@dataclass(frozen=True, slots=True)
class Group:
    """Services that reach each other: those on one network, or on the machine's own."""

    sign: str
    """One letter, which stands for it in the table."""
    name: str
    told: str
    """What is worth knowing of it."""
    members: Mapping[str, str]
    """Its services, each with what is worth knowing of it there."""


@dataclass(frozen=True, slots=True)
class Reach:
    """One service: the signs of what it shares with each of the others, and its doors.

    Nothing for a service that is out of its reach.
    """

    name: str
    others: Mapping[str, str]
    doors: Sequence[str]
    """The ports of this machine that lead to it."""

    @property
    def apart(self) -> list[str]:
        """Whom it does not reach."""
        return [name for name, signs in self.others.items() if not signs]


def reaches(
    groups: Sequence[Group], services: Sequence[str], doors: Mapping[str, Sequence[str]]
) -> list[Reach]:
    """Every service with every other one."""
    return [
        Reach(
            one,
            {other: _shared(groups, one, other) for other in services if other != one},
            doors.get(one, ()),
        )
        for one in services
    ]


def _shared(groups: Sequence[Group], one: str, other: str) -> str:
    return "".join(each.sign for each in groups if one in each.members and other in each.members)


def lines(found: Sequence[Reach], width: int, glyphs: Glyphs) -> list[Content]:
    """All of it; one sentence where nothing keeps them apart."""
    if len(found) > 1 and not any(each.apart for each in found):
        text = "every service reaches every other one: nothing keeps them apart"
        return hanging(Content.styled(text, _MUTED), width, 0)
    for rows in (_named(found, glyphs), _numbered(found, glyphs)):
        if _width(rows) <= width:
            return [*aligned(rows, width, glyphs.cut), *_legend(width, glyphs)]
    return [line for each in found for line in _sentences(each, width, glyphs)]


def _named(found: Sequence[Reach], glyphs: Glyphs) -> list[Row]:
    names = [each.name for each in found]
    return _table(found, names, names, glyphs)


def _numbered(found: Sequence[Reach], glyphs: Glyphs) -> list[Row]:
    """Narrower: a column has the number of its row."""
    numbers = [str(at) for at, _ in enumerate(found, start=1)]
    names = [f"{number:>2} {each.name}" for number, each in zip(numbers, found, strict=True)]
    return _table(found, numbers, names, glyphs)


def _table(
    found: Sequence[Reach], titles: Sequence[str], names: Sequence[str], glyphs: Glyphs
) -> list[Row]:
    heading: Row = tuple(Content.styled(each, _MUTED) for each in ("", *titles, glyphs.then))
    return [heading, *(_row(name, each, found) for name, each in zip(names, found, strict=True))]


def _row(title: str, one: Reach, found: Sequence[Reach]) -> Row:
    cells = [_cell(one.others.get(each.name)) for each in found]
    return (Content.styled(title, _STRONG), *cells, ", ".join(one.doors))


def _cell(signs: str | None) -> Content:
    """None is the service itself."""
    if signs is None:
        return Content("")
    return Content(signs) if signs else Content.styled(words.NONE, _MUTED)


def _width(rows: Sequence[Row]) -> int:
    columns = [
        max(Content(str(cell)).cell_length for cell in each) for each in zip(*rows, strict=True)
    ]
    return sum(columns) + GAP * (sum(each > 0 for each in columns) - 1)


def _legend(width: int, glyphs: Glyphs) -> list[Content]:
    text = (
        f"a letter: over that network; {words.NONE} out of reach;"
        f" {glyphs.then} ports of this machine that lead there"
    )
    return hanging(Content.styled(text, _MUTED), width, 0)


def _sentences(one: Reach, width: int, glyphs: Glyphs) -> Iterator[Content]:
    yield Content.styled(one.name, _STRONG)
    for signs in dict.fromkeys(filter(None, one.others.values())):
        names = [name for name, over in one.others.items() if over == signs]
        yield from _sentence(signs, Content(", ".join(names)), width)
    if one.apart:
        told = Content.styled(f"out of reach: {', '.join(one.apart)}", _MUTED)
        yield from _sentence(words.NONE, told, width)
    if one.doors:
        yield from _sentence(glyphs.then, Content(", ".join(one.doors)), width)


def _sentence(sign: str, told: Content, width: int) -> list[Content]:
    """Hangs behind its sign."""
    indent = max(len(sign) + 2, _INDENT) + _INDENT
    first, *rest = hanging(told, width, indent)
    return [Content(f"{'':{_INDENT}}{sign}".ljust(indent)) + first[indent:], *rest]
