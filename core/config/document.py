"""A project file as data, together with the place of everything in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

from core.escaping import escaped
from core.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

QUOTED_LENGTH = 60
LISTED_WORDS = 12

KeyPath = tuple[str | int, ...]
"""The keys and list positions that lead to a value, e.g. ("services", "web", "path")."""


class Position(NamedTuple):
    """A place in a text; both count from 1, columns in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Document:
    """One file that was read.

    `data` is None exactly when nothing usable could be read, and then `problems` says why. There
    may be problems beside usable data, e.g. for a key that is given twice.
    """

    file: str
    data: Any = None
    keys: dict[KeyPath, Position] = field(default_factory=dict)
    values: dict[KeyPath, Position] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def position(self, path: KeyPath, *, at_key: bool = False) -> Position:
        """Return where the value (or its key) is, else where the nearest thing around it is."""
        first, second = (self.keys, self.values) if at_key else (self.values, self.keys)
        for length in range(len(path), -1, -1):
            position = first.get(path[:length]) or second.get(path[:length])
            if position:
                return position
        return Position(1, 1)

    def problem(
        self, path: KeyPath, message: str, *, hint: str | None = None, at_key: bool = False
    ) -> Problem:
        """Return a problem with the value (or the key) at a path, naming the service it is in."""
        line, column = self.position(path, at_key=at_key)
        is_in_service = len(path) > 1 and path[0] == "services"
        service = str(path[1]) if is_in_service else None
        return Problem(self.file, line, column, message, hint, service)


def quote(text: str) -> str:
    """Return text from a file for use in a message: short, in quotes, nothing a terminal obeys."""
    return f'"{harmless(text)}"'


def harmless(text: str) -> str:
    """The same without quotes."""
    if len(text) > QUOTED_LENGTH:
        text = text[: QUOTED_LENGTH - 3] + "..."
    return escaped(text)


def describe(value: object) -> str:
    """Return a value from a file in words, short enough for a message."""
    if isinstance(value, str):
        return quote(value) if value else "empty text"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if value is None:
        return "empty"
    return "a list" if isinstance(value, list) else "a mapping"


def mapping(value: Any) -> dict[str, Any]:
    """Return the value if it is a mapping, else an empty one: shapes are checked elsewhere."""
    return value if isinstance(value, dict) else {}


def nearest(word: str, valid: Iterable[str]) -> str | None:
    """Return the valid word that was probably meant, whatever its case."""
    # Comparing is quadratic, and no valid word is long.
    if len(word) > QUOTED_LENGTH:
        return None
    by_lower = {candidate.lower(): candidate for candidate in valid}
    found = get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[found[0]] if found else None


def did_you_mean(word: str, valid: Iterable[str]) -> str:
    """Return the hint for a word that is not valid: the one probably meant, else all of them."""
    words = sorted(valid)
    match = nearest(word, words)
    if match:
        return f"did you mean {quote(match)}?"
    more = ", ..." if len(words) > LISTED_WORDS else ""
    return f"valid: {', '.join(words[:LISTED_WORDS])}{more}"
