"""Expressions that people type to find lines, looked for in linear time.

An expression is anybody's, and so are the lines: with one that goes back and tries again, such as
Python's own, a few characters of each can take longer than anybody lives, and hold up an agent or
a dashboard as long. RE2 knows no such expressions; what it lacks is told when one is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import re2

if TYPE_CHECKING:
    from collections.abc import Iterator


_ANCHORS = ("^", "$", r"\A", r"\z")
"""What tells where a text begins or ends. In a class `^` means something else, which is no harm."""


class BadExpression(ValueError):
    """A text is no expression, or one that cannot be looked for in linear time."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Expression:
    """One expression, in the syntax of RE2.

    Raises:
        BadExpression: it is none.
    """

    def __init__(self, text: str, *, any_case: bool = False) -> None:
        options = re2.Options()
        options.log_errors = False
        options.case_sensitive = not any_case
        try:
            self._compiled = re2.compile(text, options)
        except re2.error as error:
            raise _bad(error.args[0].decode(errors="replace")) from error
        except UnicodeError as error:
            raise BadExpression("not an expression: it is not UTF-8") from error
        self._is_anchored = any(each in text for each in _ANCHORS)

    def finds(self, text: str) -> bool:
        """Whether it is found in a text."""
        return self._compiled.search(text) is not None

    def may_be_in(self, lines: bytes) -> bool:
        """False only if it is found in none of many lines, each of which ends after its text.

        One look at all of them takes a small part of what it takes to look at each one.
        """
        if self._is_anchored:
            return True
        try:
            # In what is not UTF-8 a text is searched as it is shown, with other characters.
            lines.isascii() or lines.decode()
        except UnicodeDecodeError:
            return True
        return self._compiled.search(lines) is not None

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where it is found, in characters."""
        return (match.span() for match in self._compiled.finditer(text))


def _bad(reason: str) -> BadExpression:
    hint = None
    if reason.startswith(("invalid perl operator", "invalid escape sequence")):
        hint = "neither looking around, as in (?!...), nor back, as in \\1, is known here"
    return BadExpression(f"not an expression: {reason}", hint)
