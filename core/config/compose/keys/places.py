"""Where in a file a value is that is being read, and what there is to say about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from core.config.compose.markers import Override, Reset
from core.config.document import quote

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.config.document import Document, KeyPath, Position
    from core.model import Problem

    Read = Callable[[Any, "At"], Any]
    """From a value as it is written to its canonical form. Raises Wrong."""


class Places(Protocol):
    """Knows which file a value of the merged model came from."""

    def problem(self, path: KeyPath, message: str, hint: str | None = None) -> Problem:
        """Return a problem with the value at a path."""


class Wrong(Exception):
    """A value cannot be read: what to say after the name of its key, and how to mend it."""

    def __init__(self, predicate: str, hint: str | None = None) -> None:
        super().__init__(predicate)
        self.predicate = predicate
        self.hint = hint


class Told(Exception):
    """A value cannot be read, which has been told."""


class _Gone:
    """In place of a value that could not be read, which has been told."""


GONE = _Gone()


@dataclass(slots=True)
class Reading:
    """A file that is being read. Places are added for canonical paths that the file lacks."""

    document: Document
    folder: Path
    keys: dict[KeyPath, Position]
    values: dict[KeyPath, Position]
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    port_count: int = 0
    """How many ports its ranges mean so far."""


@dataclass(slots=True)
class At:
    """A place in a file that is being read."""

    reading: Reading
    path: KeyPath

    def __truediv__(self, part: str | int) -> At:
        """The place of a key or of an item in what is here."""
        return At(self.reading, (*self.path, part))

    @property
    def folder(self) -> Path:
        """What relative paths are relative to."""
        return self.reading.folder

    @property
    def label(self) -> str:
        """What is here, in quotes: its key, with the numbers of items behind it."""
        parts = list(self.path)
        indexes = ""
        while parts and isinstance(parts[-1], int):
            indexes = f"[{parts.pop()}]{indexes}"
        return quote(f"{parts[-1]}{indexes}") if parts else "the file"

    @property
    def position(self) -> Position:
        """Where it is, as a line and a column."""
        return self.reading.document.position(self.path)

    def problem(self, message: str, hint: str | None = None, *, at_key: bool = False) -> None:
        """Tells of an error here."""
        found = self.reading.document.problem(self.path, message, hint=hint, at_key=at_key)
        self.reading.problems.append(found)

    def note(self, message: str, hint: str | None = None, *, at_key: bool = False) -> None:
        """Tells of something here that does not do what its author may think."""
        found = self.reading.document.problem(self.path, message, hint=hint, at_key=at_key)
        self.reading.notes.append(found)

    def stands_for(self, written: At) -> None:
        """Says that the canonical value here was written there."""
        self.reading.keys[self.path] = self.reading.values[self.path] = written.position


def read(reader: Read, value: Any, at: At) -> Any:
    """Return a value in canonical form; GONE if it cannot be read, which is then a problem."""
    if isinstance(value, Reset):
        return value
    if isinstance(value, Override):
        inner = read(reader, value.value, at)
        return GONE if inner is GONE else Override(inner)
    try:
        return reader(value, at)
    except Told:
        return GONE
    except Wrong as wrong:
        at.problem(f"{at.label} {wrong.predicate}", wrong.hint)
        return GONE
