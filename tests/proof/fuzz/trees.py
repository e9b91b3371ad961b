"""Mutations of what a YAML file says: parts of real files in each other's places."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import yaml
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_EDITS = 4
_LEAVES = st.sampled_from([
    *(None, True, False, 0, -1, 1, 65536, 2**63, 1.5, float("inf"), float("nan")),
    *("", "a", "\n", "${A}", "${A:-${A:-x}}", "$", "${", "1", "no", "0440", "é", "a" * 5000),
    *("../..", "/etc/passwd", "/dev/zero", "~nobody", ".", "a=b", "a:b:c:d", "1-2:3-4", "99999:1"),
    *("1h1m1s", "1e9s", "9" * 30 + "g", "service:web", "[::1]:1:1", "127.0.0.1::", "@sha256:0"),
])  # fmt: skip


def parts(seeds: Sequence[bytes]) -> tuple[list[Any], list[str]]:
    """All values in some files, and all keys."""
    roots = [yaml.safe_load(each) for each in seeds]
    values = [value for root in roots for _, _, value in _places(root)]
    keys = {str(key) for root in roots for _, key, _ in _places(root) if isinstance(key, str)}
    return [*roots, *values], sorted(keys)


def _places(node: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Each value below a node: what it is in, under which key or index, and itself."""
    if not isinstance(node, dict | list):
        return
    for key, value in list(node.items() if isinstance(node, dict) else enumerate(node)):
        yield node, key, value
        yield from _places(value)


@st.composite
def grafted(
    draw: Callable[[st.SearchStrategy[Any]], Any],
    seeds: Sequence[bytes],
) -> bytes:
    """One of some YAML files, in which parts of others stand in the places of its own."""
    values, keys = parts(seeds)
    root = copy.deepcopy(draw(st.sampled_from(values[: len(seeds)])))
    for _ in range(draw(st.integers(1, _EDITS))):
        places = list(_places(root))
        if not places:
            break
        parent, key, value = draw(st.sampled_from(range(len(places))).map(places.__getitem__))
        other = draw(st.sampled_from(range(len(values))).map(values.__getitem__) | _LEAVES)
        match draw(st.integers(0, 5)):
            case 0 | 1:
                parent[key] = copy.deepcopy(other)
            case 2:
                parent[key] = [value, copy.deepcopy(other)]
            case 3:
                parent[key] = {draw(st.sampled_from(keys)): value}
            case 4 if isinstance(parent, dict):
                parent[draw(st.sampled_from(keys))] = copy.deepcopy(other)
            case _:
                del parent[key]
    return _dumped(root, is_flow=draw(st.booleans()))


def _dumped(root: Any, *, is_flow: bool) -> bytes:
    text = yaml.safe_dump(
        root, allow_unicode=True, sort_keys=False, default_flow_style=is_flow, width=10_000
    )
    return text.encode()
