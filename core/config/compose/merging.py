"""Merging what several files say, and what a service says with what it extends.

Marks of `!reset` and `!override` are obeyed and kept: the same file may be laid over others yet.
`settled` takes them away, when all is merged.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.config.compose.markers import Reset
from core.config.compose.merge_rules import (
    IPAM_CONFIG,
    LOGGING,
    REPLACED,
    UNIQUE,
    VARIABLES,
    shape,
)
from core.config.compose.tree import Node, child, plain
from core.config.document import quote
from core.model import Problem

if TYPE_CHECKING:
    from collections.abc import Hashable

    from core.config.document import KeyPath


def merged(base: Node, over: Node, path: KeyPath, problems: list[Problem]) -> Node:
    """Return what two files say together, where the second has the last word.

    Args:
        base: What comes first.
        over: What is laid over it.
        path: Where in the model both are.
        problems: Gets what cannot be merged, which is then as in `base`.
    """
    return _Merge(problems).merged(base, over, path)


def settled(node: Node, path: KeyPath = ()) -> Node:
    """Return what is merged without marks, without what was reset, and with unique lists."""
    if isinstance(node.value, dict):
        value = {
            key: settled(each, (*path, key))
            for key, each in node.value.items()
            if each.mark is not Reset
        }
        return replace(node, value=value, mark=None)
    if isinstance(node.value, list):
        items = [settled(each, (*path, i)) for i, each in enumerate(node.value)]
        return replace(node, value=_unique(items, path), mark=None)
    return replace(node, mark=None) if node.mark else node


def _unique(items: list[Node], path: KeyPath) -> list[Node]:
    key_of = UNIQUE.get(shape(path))
    if key_of is None:
        return items
    last: dict[Hashable, Node] = {}
    for item in items:
        last[key_of(plain(item))] = item
    return list(last.values())


class _Merge:
    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems

    def merged(self, base: Node, over: Node, path: KeyPath) -> Node:
        rule = shape(path)
        if over.mark is not None or base.value is None or _is_replaced(path):
            return over
        if over.value is None:
            return over if rule[:-1] in VARIABLES else base
        if isinstance(base.value, dict):
            if not isinstance(over.value, dict):
                return self._mismatch(base, over, path)
            if rule == LOGGING and not _is_same_driver(base, over):
                return over
            return self._mappings(base, over, path)
        if isinstance(base.value, list):
            if not isinstance(over.value, list):
                return self._mismatch(base, over, path)
            if rule == IPAM_CONFIG:
                return self._by_subnet(base, over, path)
            return replace(base, value=[*base.value, *over.value], mark=None)
        return over

    def _mappings(self, base: Node, over: Node, path: KeyPath) -> Node:
        value = dict(base.value)
        for key, each in over.value.items():
            is_new = key not in value
            value[key] = each if is_new else self.merged(value[key], each, (*path, key))
        return replace(base, value=value, mark=None)

    def _by_subnet(self, base: Node, over: Node, path: KeyPath) -> Node:
        value = list(base.value)
        for each in over.value:
            subnet = _text(child(each, "subnet"))
            at = next(
                (i for i, had in enumerate(value) if _text(child(had, "subnet")) == subnet), -1
            )
            if subnet is None or at < 0:
                value.append(each)
            else:
                value[at] = self.merged(value[at], each, (*path, at))
        return replace(base, value=value, mark=None)

    def _mismatch(self, base: Node, over: Node, path: KeyPath) -> Node:
        where = f"{base.place.file}:{base.place.position.line}"
        message = (
            f"{quote('.'.join(map(str, path)))} is {_kind(over)} here, but {_kind(base)} in {where}"
        )
        service = str(path[1]) if len(path) > 1 and path[0] == "services" else None
        hint = "write both alike, or replace the first with the tag !override"
        file, position = over.place
        self._problems.append(Problem(file, *position, message, hint, service))
        return base


def _is_replaced(path: KeyPath) -> bool:
    # A service may be called x-something; it merges like any other.
    is_extension = len(path) != 2 and str(path[-1:][0] if path else "").startswith("x-")
    return is_extension or shape(path) in REPLACED


def _is_same_driver(base: Node, over: Node) -> bool:
    drivers = {_text(child(each, "driver")) for each in (base, over)} - {None}
    return len(drivers) < 2


def _text(node: Node | None) -> str | None:
    return None if node is None or node.value is None else str(node.value)


def _kind(node: Node) -> str:
    if isinstance(node.value, dict):
        return "a mapping"
    return "a list" if isinstance(node.value, list) else "a single value"
