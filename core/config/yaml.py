"""Strict YAML 1.2 with the position of every key and value.

PyYAML contributes its event parser only; what a scalar means is decided in `core.config.scalars`.
Anchors and aliases work within limits, so that no file can grow without bound while it is read.
"""

from __future__ import annotations

from typing import Any

from core.config.document import Document, KeyPath, Position, quote
from core.config.nodes import (
    MAX_DEPTH,
    STRICT,
    CollectionNode,
    Dialect,
    Node,
    ScalarNode,
    compose,
)
from core.config.text import UnreadableText, decode
from core.model import Problem

MAX_NODES = 50_000


def read_yaml(content: bytes, file: str) -> Document:
    """Return what a file holds and everything that is wrong with it as YAML; never raises.

    Args:
        content: The bytes of the file.
        file: Its name in problems.
    """
    return read_dialect(content, Expansion(file))


def read_dialect(content: bytes, expansion: Expansion, dialect: Dialect = STRICT) -> Document:
    """Return the same of a file in a dialect, given the expansion that knows its nodes."""
    file = expansion.file
    try:
        text = decode(content)
        root = compose(text, dialect)
        data = expansion.expand(*root, path=()) if root else None
    except UnreadableText as error:
        return Document(file, problems=(Problem(file, *error.position, error.message, error.hint),))
    if data is None:
        return Document(file, problems=(Problem(file, 1, 1, "the file is empty"),))
    return Document(file, data, expansion.keys, expansion.values, tuple(expansion.problems))


class Expansion:
    """Turns nodes into plain data, with aliases written out, and notes where everything is."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.keys: dict[KeyPath, Position] = {}
        self.values: dict[KeyPath, Position] = {}
        self.problems: list[Problem] = []

    def expand(self, node: Node, position: Position, path: KeyPath) -> Any:
        """Return what a node means; it is the value at a path."""
        self.values[path] = position
        if len(self.values) > MAX_NODES:
            raise UnreadableText(position, f"more than {MAX_NODES} values, counting aliases")
        if isinstance(node, ScalarNode):
            return node.value
        if len(path) >= MAX_DEPTH:
            raise UnreadableText(position, f"nested more than {MAX_DEPTH} levels deep")
        if node.is_mapping:
            return self.expand_mapping(node, path)
        return [
            self.expand(child, place, (*path, index))
            for index, (child, place) in enumerate(node.children)
        ]

    def expand_mapping(self, node: CollectionNode, path: KeyPath) -> dict[str, Any]:
        """Return a mapping without what is wrong with its keys, which are noted."""
        mapping: dict[str, Any] = {}
        pairs = zip(node.children[::2], node.children[1::2], strict=True)
        for (key, key_position), (value, position) in pairs:
            name = self.key(key, key_position)
            if name is None:
                continue
            if name in mapping:
                first = self.keys[*path, name]
                message = f"the key {quote(name)} is given twice"
                hint = f"first at line {first.line}, column {first.column}"
                self.problems.append(Problem(self.file, *key_position, message, hint))
                continue
            self.keys[*path, name] = key_position
            mapping[name] = self.expand(value, position, (*path, name))
        return mapping

    def key(self, key: Node, position: Position) -> str | None:
        """Return a key as text, or None if it cannot be one."""
        if isinstance(key, ScalarNode) and isinstance(key.value, str):
            return key.value
        if isinstance(key, ScalarNode):
            message, hint = f"the key {quote(key.text)} is not text", "put it in quotes"
        else:
            message, hint = "a key cannot be a list or a mapping", None
        self.problems.append(Problem(self.file, *position, message, hint))
        return None
