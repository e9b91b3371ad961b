"""What a project was read from: the files, and the paths that are relative to one of them.

Whoever sends a project to another machine has to know. Where nobody asks, nothing is noted.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(slots=True)
class Footprint:
    """Absolute paths."""

    files: set[Path] = field(default_factory=set)
    """Files that were read."""
    relative: set[Path] = field(default_factory=set)
    """What files name by a path that is relative to them, whether it is there or not."""


_noting: ContextVar[Footprint | None] = ContextVar("noting", default=None)


@contextmanager
def footprint() -> Iterator[Footprint]:
    """Notes what is read in a block, in this thread or task."""
    found = Footprint()
    token = _noting.set(found)
    try:
        yield found
    finally:
        _noting.reset(token)


def note_file(path: Path) -> None:
    """Notes a file that is read."""
    if (found := _noting.get()) is not None:
        found.files.add(path)


def note_relative(path: Path) -> None:
    """Notes what a relative path leads to."""
    if (found := _noting.get()) is not None:
        found.relative.add(path)
