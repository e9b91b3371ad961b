"""YAML as Compose files are written: YAML 1.2 with what their authors rely on besides.

Merge keys (`<<: *a`, `<<: [*a, *b]`), the tags `!reset` and `!override`, keys of any scalar, and
octal numbers with a leading zero (`mode: 0440`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from core.config import scalars
from core.config.compose.markers import Override, Reset
from core.config.nodes import CollectionNode, Dialect, ScalarNode
from core.config.text import UnreadableText
from core.config.yaml import MAX_NODES, Expansion, read_dialect
from core.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.config.document import Document, KeyPath, Position
    from core.config.nodes import Node
    from core.config.scalars import Scalar

_RESET = "!reset"
_OVERRIDE = "!override"
_MERGE_TAG = "tag:yaml.org,2002:merge"
_MERGE_KEY = "<<"

_LEGACY_OCTAL = re.compile(r"[-+]?0[0-7]{1,21}")


def read_compose_yaml(content: bytes, file: str) -> Document:
    """Return what a Compose file holds, with markers where it has tags; never raises."""
    return read_dialect(content, _Expansion(file), _DIALECT)


def _resolve(text: str) -> Scalar:
    if _LEGACY_OCTAL.fullmatch(text):
        return int(text, 8)
    return scalars.resolve(text)


_DIALECT = Dialect(_resolve, frozenset({_RESET, _OVERRIDE, _MERGE_TAG}))


class _Expansion(Expansion):
    def __init__(self, file: str) -> None:
        super().__init__(file)
        self._merged = 0

    def expand(self, node: Node, position: Position, path: KeyPath) -> Any:
        """Return what a node means: a marker, if it has a tag."""
        is_tagged = node.tag in (_RESET, _OVERRIDE)
        if is_tagged and not (path and isinstance(path[-1], str)):
            message = f"the tag {node.tag} works on the value of a key only"
            raise UnreadableText(position, message, f"tag the key around it: key: {node.tag} ...")
        if node.tag == _RESET:
            self.values[path] = position
            return Reset()
        value = super().expand(node, position, path)
        return Override(value) if is_tagged else value

    def expand_mapping(self, node: CollectionNode, path: KeyPath) -> dict[str, Any]:
        """Return a mapping together with what is merged into it: its own keys come first."""
        own = CollectionNode(is_mapping=True)
        sources: list[tuple[Node, Position]] = []
        for (key, key_position), value in _pairs(node):
            if not _is_merge_key(key):
                own.children += ((key, key_position), value)
            elif sources:
                message = 'the key "<<" is given twice'
                hint = "merge a list: <<: [*first, *second]"
                self.problems.append(Problem(self.file, *key_position, message, hint))
            else:
                sources = self._sources(*value)
        mapping = super().expand_mapping(own, path)
        self._merge(mapping, sources, path)
        return mapping

    def key(self, key: Node, position: Position) -> str | None:
        """Return a key as text, also one that looks like a number or a truth value."""
        if isinstance(key, ScalarNode) and key.value is not None:
            return key.text.lower() if isinstance(key.value, bool) else key.text
        return super().key(key, position)

    def _sources(self, node: Node, position: Position) -> list[tuple[Node, Position]]:
        """The mappings that the value of a merge key names."""
        if isinstance(node, CollectionNode):
            found: list[tuple[Node, Position]] = node.children
            if node.is_mapping:
                found = [(node, position)]
            wrong = [place for source, place in found if not _is_mapping(source)]
            if not wrong:
                return found
            position = wrong[0]
        message = 'only mappings can be merged with "<<"'
        hint = "write <<: *anchor, or <<: [*first, *second]"
        self.problems.append(Problem(self.file, *position, message, hint))
        return []

    def _merge(
        self, mapping: dict[str, Any], sources: list[tuple[Node, Position]], path: KeyPath
    ) -> None:
        """Adds what is merged into a mapping: what comes first wins."""
        for source, position in sources:
            assert isinstance(source, CollectionNode)
            inherited: list[tuple[Node, Position]] = []
            for (key, key_position), value in _pairs(source):
                self._count(position)
                if _is_merge_key(key):
                    inherited += self._sources(*value)
                    continue
                name = self.key(key, key_position)
                if name is not None and name not in mapping:
                    self.keys[*path, name] = key_position
                    mapping[name] = self.expand(*value, (*path, name))
            self._merge(mapping, inherited, path)

    def _count(self, position: Position) -> None:
        """Merges that are made of merges could else double with every line."""
        self._merged += 1
        if self._merged > MAX_NODES:
            raise UnreadableText(position, f"more than {MAX_NODES} values are merged")


def _pairs(
    node: CollectionNode,
) -> Iterator[tuple[tuple[Node, Position], tuple[Node, Position]]]:
    return zip(node.children[::2], node.children[1::2], strict=True)


def _is_mapping(node: Node) -> bool:
    return isinstance(node, CollectionNode) and node.is_mapping


def _is_merge_key(key: Node) -> bool:
    return isinstance(key, ScalarNode) and key.text == _MERGE_KEY
