"""What there is to say about the files of a project, gathered while they are read."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from core.config.compose.tree import Place


@dataclass(slots=True)
class Report:
    """Problems and notes, each of them once; `root` is what files are named relative to."""

    root: Path
    problems: dict[Problem, None] = field(default_factory=dict)
    notes: dict[Problem, None] = field(default_factory=dict)
    is_partial: bool = False
    """Whether a part of the project is missing, so that what refers to it may be right."""
    _unset: set[str] = field(default_factory=set)

    def shown(self, path: Path) -> str:
        """Return the name of a file in problems."""
        return os.path.relpath(path, self.root)

    def add_problems(self, problems: Iterable[Problem]) -> None:
        """Adds what is wrong."""
        self.problems.update(dict.fromkeys(problems))

    def add_notes(self, notes: Iterable[Problem]) -> None:
        """Adds what may not be meant so."""
        self.notes.update(dict.fromkeys(notes))

    def problem(
        self, place: Place, message: str, hint: str | None = None, *, service: str | None = None
    ) -> None:
        """Adds a problem with what is at a place."""
        self.add_problems([Problem(place.file, *place.position, message, hint, service)])

    def missing(
        self, place: Place, message: str, hint: str | None = None, *, service: str | None = None
    ) -> None:
        """Adds a problem because of which a part of the project cannot be known."""
        self.is_partial = True
        self.problem(place, message, hint, service=service)

    def note_unset(self, unset: dict[str, Problem]) -> None:
        """Adds the notes about variables that are not set, by their names: one for each."""
        self.add_notes(note for name, note in unset.items() if name not in self._unset)
        self._unset |= unset.keys()


def once(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Those that read differently: what an anchor says is in several services at one place."""
    return tuple({str(each): each for each in problems}.values())
