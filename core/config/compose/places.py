"""Where the values of a merged model came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.config.compose.tree import nearest
from core.model import Problem

if TYPE_CHECKING:
    from core.config.compose.tree import Node, Place
    from core.config.document import KeyPath


@dataclass(frozen=True, slots=True)
class Places:
    """Knows the file and position of every value, by its path in the model."""

    tree: Node

    def place(self, path: KeyPath) -> Place:
        """Return where a value is, or else the nearest thing around it."""
        node = nearest(self.tree, path)
        # A block begins in the line below its key, which says less.
        return (node.key_place or node.place) if isinstance(node.value, dict) else node.place

    def problem(self, path: KeyPath, message: str, hint: str | None = None) -> Problem:
        """Return a problem with the value at a path, naming the service that it is in."""
        file, position = self.place(path)
        service = str(path[1]) if len(path) > 1 and path[0] == "services" else None
        return Problem(file, *position, message, hint, service)
