"""One Compose file in canonical form, which is what files are merged in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.config.compose.keys.places import At, Reading, read
from core.config.compose.keys.toplevel import TOP

if TYPE_CHECKING:
    from pathlib import Path

    from core.config.document import Document, KeyPath, Position
    from core.model import Problem


@dataclass(frozen=True, slots=True)
class Canonical:
    """What one file says, and nothing that it does not say: no defaults, no names.

    `Reset` and `Override` markers stay where they are, an `Override` with a canonical value.
    `extends` is `{service, file}`, `include` a list of `{path: [...], project_directory,
    env_file: [...]}`, both with paths as they are written. `env_file` and `label_file` are lists
    of `{path, required, format}` and of paths; variables without a value are None. All other
    paths are absolute.
    """

    data: dict[str, Any]
    keys: dict[KeyPath, Position]
    """Where the keys are, by canonical path."""
    values: dict[KeyPath, Position]
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]


def canonical(document: Document, folder: Path) -> Canonical:
    """Return a file, after interpolation, in canonical form; never raises.

    Args:
        document: The file. What is wrong with it as YAML is not told again.
        folder: What its relative paths are relative to, absolute.
    """
    reading = Reading(document, folder, dict(document.keys), dict(document.values))
    found = {} if document.data is None else read(TOP, document.data, At(reading, ()))
    return Canonical(
        data=found if isinstance(found, dict) else {},
        keys=reading.keys,
        values=reading.values,
        problems=tuple(reading.problems),
        notes=tuple(reading.notes),
    )
