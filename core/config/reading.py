"""Reading one file that people write, whatever is at its path."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from core.config.document import Document
from core.config.footprint import note_file
from core.config.text import MAX_BYTES
from core.model import Problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def read_file(path: Path, shown: str, parse: Callable[[bytes, str], Document]) -> Document:
    """Return a file as a document, under its name in problems; never raises."""
    try:
        # Opening a named pipe would wait for its writer.
        if not stat.S_ISREG(path.stat().st_mode):
            return _unreadable(path, shown, "is not a file")
        note_file(path)
        with path.open("rb") as file:
            return parse(file.read(MAX_BYTES + 1), shown)
    except OSError as error:
        return _unreadable(path, shown, f"cannot be read: {error.strerror}")


def _unreadable(path: Path, shown: str, predicate: str) -> Document:
    return Document(shown, problems=(Problem(shown, 1, 1, f"{path.name} {predicate}"),))
