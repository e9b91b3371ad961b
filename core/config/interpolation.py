"""Variables inside text, as Compose and `.env` files write them: `$NAME`, `${NAME:-default}`, `$$`.

| written          | means                                                       |
|------------------|-------------------------------------------------------------|
| `$NAME` `${NAME}`| its value, empty if it is unset                             |
| `${NAME:-text}`  | its value, the text if it is unset or empty (`-`: if unset) |
| `${NAME:+text}`  | the text if it is set and not empty (`+`: if set), else empty |
| `${NAME:?text}`  | its value, an error if it is unset or empty (`?`: if unset) |
| `$$`             | a dollar sign                                               |

The text of an operator may hold variables and balanced braces, and is only looked at where it is
needed. A dollar sign before anything else means itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from core.config.document import harmless

if TYPE_CHECKING:
    from collections.abc import Callable

    Lookup = Callable[[str], str | None]

MAX_LENGTH = 1024 * 1024
"""Variables that are made of variables could else double with every line."""
MAX_DEPTH = 50

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-+?]")
_BRACE = re.compile(r"[{}]")


class BrokenTemplate(Exception):
    """A text cannot be interpolated; `offset` is where in it.

    `required` is the name of the variable whose value is missing, where it is that.
    """

    def __init__(self, offset: int, message: str, *, required: str | None = None) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message
        self.required = required


class Unset(NamedTuple):
    """A variable that has no value, and where its dollar sign is in the text."""

    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class Interpolated:
    """A text with all variables replaced; what was unset is empty."""

    text: str
    unset: tuple[Unset, ...]


def interpolate(text: str, lookup: Lookup) -> Interpolated:
    """Return the text with its variables replaced.

    Raises:
        BrokenTemplate: it is malformed, too long or too deep, or a required variable is missing.
    """
    interpolation = _Interpolation(text, lookup)
    return Interpolated(interpolation.expand(0, len(text)), tuple(interpolation.unset))


class _Interpolation:
    """Walks over a text; every position is one in the whole text."""

    def __init__(self, text: str, lookup: Lookup) -> None:
        self.unset: list[Unset] = []
        self._text = text
        self._lookup = lookup
        self._room = MAX_LENGTH
        self._depth = 0

    def expand(self, start: int, end: int) -> str:
        parts = []
        while (dollar := self._text.find("$", start, end)) != -1:
            parts.append(self._text[start:dollar])
            value, start = self._dollar(dollar, end)
            parts.append(value)
        parts.append(self._text[start:end])
        return "".join(parts)

    def _dollar(self, dollar: int, end: int) -> tuple[str, int]:
        """What a dollar sign stands for, and where the text goes on."""
        following = self._text[dollar + 1 : min(dollar + 2, end)]
        if following == "$":
            return "$", dollar + 2
        if following == "{":
            return self._braced(dollar, end)
        name = _NAME.match(self._text, dollar + 1, end)
        if name is None:
            return "$", dollar + 1
        return self._value(name[0], dollar), name.end()

    def _braced(self, dollar: int, end: int) -> tuple[str, int]:
        closing = self._closing(dollar + 1, end)
        if closing is None:
            raise BrokenTemplate(dollar, '"${" is never closed')
        name = _NAME.match(self._text, dollar + 2, closing)
        if name is None:
            raise BrokenTemplate(dollar, '"${" is not followed by the name of a variable')
        if name.end() == closing:
            return self._value(name[0], dollar), closing + 1
        operator = _OPERATOR.match(self._text, name.end(), closing)
        if operator is None:
            message = f'"${{{name[0]}" is followed neither by "}}" nor by :- - :+ + :? ?'
            raise BrokenTemplate(dollar, message)
        return self._operated(name[0], operator, closing, dollar), closing + 1

    def _closing(self, opening: int, end: int) -> int | None:
        """Where the brace is closed, counting those in between."""
        depth = 0
        for brace in _BRACE.finditer(self._text, opening, end):
            depth += 1 if brace[0] == "{" else -1
            if depth == 0:
                return brace.start()
        return None

    def _operated(self, name: str, operator: re.Match[str], closing: int, dollar: int) -> str:
        value = self._lookup(name)
        is_there = value is not None and (value != "" or not operator[0].startswith(":"))
        argument = (operator.end(), closing)
        if operator[0].endswith("+"):
            return self._argument(*argument) if is_there else ""
        if value is not None and is_there:
            return self._counted(value, dollar)
        if operator[0].endswith("-"):
            return self._argument(*argument)
        reason = self._argument(*argument)
        message = f"required variable {name} is missing a value"
        told = f"{message}: {harmless(reason)}" if reason else message
        raise BrokenTemplate(dollar, told, required=name)

    def _argument(self, start: int, end: int) -> str:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise BrokenTemplate(start, f"variables nested more than {MAX_DEPTH} levels deep")
        text = self.expand(start, end)
        self._depth -= 1
        return text

    def _value(self, name: str, dollar: int) -> str:
        value = self._lookup(name)
        if value is None:
            self.unset.append(Unset(name, dollar))
            return ""
        return self._counted(value, dollar)

    def _counted(self, value: str, dollar: int) -> str:
        self._room -= len(value)
        if self._room < 0:
            message = f"with its variables the value is longer than {MAX_LENGTH} characters"
            raise BrokenTemplate(dollar, message)
        return value
