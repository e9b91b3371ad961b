"""The canonical model as a tree that knows where each of its values came from.

Files are merged in this form, so that a value takes its place along wherever it goes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from core.config.compose.markers import Override, Reset
from core.config.document import Position

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from core.config.compose.keys.canonical import Canonical
    from core.config.document import KeyPath


class Place(NamedTuple):
    """Where something is: a file, as it is named in problems, and a position in it."""

    file: str
    position: Position


@dataclass(frozen=True, slots=True)
class Node:
    """A value; those inside mappings and lists are nodes again."""

    value: Any
    place: Place
    key_place: Place | None = None
    """Of its key, in a mapping."""
    mark: type[Reset | Override] | None = None
    """The tag that it had, while it is not merged yet."""


def tree(canonical: Canonical, file: str) -> Node:
    """Return what one file says."""
    return _Growth(file, canonical.values, canonical.keys).node(
        canonical.data, (), Place(file, Position(1, 1))
    )


def leaf(value: Any, place: Place) -> Node:
    """Return a node for a value all of which comes from one place."""
    if isinstance(value, dict):
        value = {key: replace(leaf(child, place), key_place=place) for key, child in value.items()}
    elif isinstance(value, list):
        value = [leaf(child, place) for child in value]
    return Node(value, place)


def plain(node: Node) -> Any:
    """Return the value of a node without places."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


def child(node: Node | None, *path: str | int) -> Node | None:
    """Return the node at a path below this one, or None if there is none."""
    for part in path:
        if node is None:
            return None
        if isinstance(part, int):
            items_here = entries(node)
            node = items_here[part] if part < len(items_here) else None
        else:
            node = node.value.get(part) if isinstance(node.value, dict) else None
    return node


def nearest(root: Node, path: KeyPath) -> Node:
    """Return the node at a path, or the innermost one around it."""
    node = root
    for part in path:
        found = child(node, part)
        if found is None:
            return node
        node = found
    return node


def items(node: Node | None) -> Iterator[tuple[Any, Node]]:
    """Yield the keys and nodes of a mapping, nothing for anything else."""
    if node is not None and isinstance(node.value, dict):
        yield from node.value.items()


def entries(node: Node | None) -> list[Node]:
    """Return the nodes of a list, nothing for anything else."""
    return node.value if node is not None and isinstance(node.value, list) else []


class _Growth:
    """Turns data with a table of places into nodes."""

    def __init__(
        self,
        file: str,
        values: Mapping[KeyPath, Position],
        keys: Mapping[KeyPath, Position],
    ) -> None:
        self._file = file
        self._values = values
        self._keys = keys

    def node(self, value: Any, path: KeyPath, around: Place) -> Node:
        """A value whose place is that of its key, or of what is around it, if it has none."""
        key_place = self._place(self._keys, path)
        place = self._place(self._values, path) or key_place or around
        if isinstance(value, Reset):
            return Node(None, place, key_place, Reset)
        mark = None
        if isinstance(value, Override):
            value, mark = value.value, Override
        if isinstance(value, dict):
            value = {key: self.node(each, (*path, key), place) for key, each in value.items()}
        elif isinstance(value, list):
            value = [self.node(each, (*path, i), place) for i, each in enumerate(value)]
        return Node(value, place, key_place, mark)

    def _place(self, places: Mapping[KeyPath, Position], path: KeyPath) -> Place | None:
        position = places.get(path)
        return Place(self._file, position) if position else None
