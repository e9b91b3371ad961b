"""What a person types to find text: plain words, or an expression between slashes. Pure."""

from __future__ import annotations

import re
from typing import Self


class PatternError(ValueError):
    """What was typed is no expression; the message is one line for the person."""


def is_unfinished(typed: str) -> bool:
    """Whether an expression has begun that is not ended yet; entered like this, it is text."""
    body = typed.removeprefix("!")
    return body.startswith("/") and (len(body) == 1 or not body.endswith("/"))


class Pattern:
    """Text to look for; all in lower case finds any case, one capital letter makes it exact."""

    def __init__(self, typed: str, expression: re.Pattern[str], needle: str | None) -> None:
        self.typed = typed
        self._expression = expression
        self._needle = needle
        """The text itself if it is ASCII in lower case: found faster than by an expression."""

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
        flags = re.IGNORECASE if letters == letters.lower() else re.NOFLAG
        try:
            expression = re.compile(body if is_expression else re.escape(body), flags)
        except (re.error, RecursionError, OverflowError) as error:
            raise PatternError(f"not an expression: {str(error).partition(chr(10))[0]}") from error
        is_simple = not is_expression and body.isascii() and bool(flags)
        return cls(typed, expression, body if is_simple else None)

    def matches(self, text: str) -> bool:
        """Whether it is found in a text."""
        if self._needle is not None and text.isascii():
            return self._needle in text.lower()
        return self._expression.search(text) is not None

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where it is found, in characters; matches of nothing are left out."""
        return [
            match.span() for match in self._expression.finditer(text) if match.end() > match.start()
        ]
