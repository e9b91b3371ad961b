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
    rows = [_titles(found, glyphs), *(_row(each, found) for each in found)]
    if _width(rows) > width:
        return [line for each in found for line in _sentences(each, width, glyphs)]
    return [*aligned(rows, width, glyphs.cut), *_legend(width, glyphs)]


def _titles(found: Sequence[Reach], glyphs: Glyphs) -> Row:
    return tuple(Content.styled(each, _MUTED) for each in ("", *_names(found), glyphs.then))


def _names(found: Sequence[Reach]) -> list[str]:
    return [each.name for each in found]


def _row(one: Reach, found: Sequence[Reach]) -> Row:
    cells = [_cell(one.others.get(name)) for name in _names(found)]
    return (Content.styled(one.name, _STRONG), *cells, ", ".join(one.doors))


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
        yield from hanging(f"{signs}  {', '.join(names)}", width, _INDENT)
    if one.apart:
        text = f"{words.NONE}  out of reach: {', '.join(one.apart)}"
        yield from hanging(Content.styled(text, _MUTED), width, _INDENT)
    if one.doors:
        yield from hanging(f"{glyphs.then}  {', '.join(one.doors)}", width, _INDENT)
