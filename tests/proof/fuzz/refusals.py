"""What every refusal of a file is like: words for people, with a place."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from core.errors import CompartmentError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
LONGEST = 20_000
"""Characters of one message."""


def tried(read: Callable[[], T]) -> T | list[str]:
    """What is read, or in words what is wrong; anything else that is raised is a bug."""
    try:
        return read()
    except ConfigError as error:
        check(error)
        return [error.message, *map(str, error.problems)]


def check(error: CompartmentError) -> None:
    """Nothing in its words steers a terminal, they are bounded, and problems have their place."""
    problems = error.problems if isinstance(error, ConfigError) else ()
    for problem in problems:
        assert problem.file
        assert problem.message
        assert (problem.line > 0) == (problem.column > 0), problem
    for text in (error.message, error.hint or "", *map(str, problems)):
        assert text.isprintable(), ascii(text)
        assert len(text) < LONGEST, text[:200]
