"""What a person types to find text: plain words, or an expression between slashes. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol, Self

from core.logs.expression import BadExpression, Expression

if TYPE_CHECKING:
    from collections.abc import Iterator


class PatternError(ValueError):
    """What was typed is no expression; the message is one line for the person."""


class Finder(Protocol):
    """Something that can be looked for."""

    def finds(self, text: str) -> bool:
        """Whether it is found in a text."""

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where it is found, in characters."""


def is_unfinished(typed: str) -> bool:
    """Whether an expression has begun that is not ended yet; entered like this, it is text."""
    body = typed.removeprefix("!")
    return body.startswith("/") and (len(body) == 1 or not body.endswith("/"))


class Pattern:
    """Text to look for; all in lower case finds any case, one capital letter makes it exact."""

    def __init__(self, typed: str, finder: Finder) -> None:
        self.typed = typed
        self._finder = finder

    @classmethod
    def read(cls, typed: str) -> Self | None:
        """What `text` or `/expression/` means; None for nothing at all.

        Raises:
            PatternError: The expression is not one.
        """
        is_expression = len(typed) > 1 and typed[0] == typed[-1] == "/"
        body = typed[1:-1] if is_expression else typed
        if not body:
            return None
        letters = re.sub(r"\\.", "", body) if is_expression else body
        any_case = letters == letters.lower()
        if not is_expression:
            return cls(typed, _Words(body, any_case=any_case))
        try:
            return cls(typed, Expression(body, any_case=any_case))
        except BadExpression as error:
            raise PatternError(error.message) from error

    def matches(self, text: str) -> bool:
        """Whether it is found in a text."""
        return self._finder.finds(text)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where it is found, in characters; matches of nothing are left out."""
        return [(start, end) for start, end in self._finder.spans(text) if end > start]


class _Words:
    """A text as it stands."""

    def __init__(self, text: str, *, any_case: bool) -> None:
        # It holds nothing that repeats, so that it is found in linear time.
        self._escaped = re.compile(re.escape(text), re.IGNORECASE if any_case else re.NOFLAG)
        self._needle = text if text.isascii() and any_case else None
        """The text itself if it is ASCII in lower case: found faster than by an expression."""

    def finds(self, text: str) -> bool:
        if self._needle is not None and text.isascii():
            return self._needle in text.lower()
        return self._escaped.search(text) is not None

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        return (match.span() for match in self._escaped.finditer(text))
