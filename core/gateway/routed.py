"""What traffic follows now: read from the files that Envoy serves by, whoever has written them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.gateway.routes import ROUTES
from core.gateway.table import ENTRANCES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ACTIVATION = re.compile(r"dep_[a-z2-7]+\.\d+")
"""What the name of an upstream begins with."""


@dataclass(frozen=True, slots=True)
class Routed:
    """The names of the activations that something is led to."""

    requests: frozenset[str]
    """By a host name. What is not live gets none."""
    connections: frozenset[str]
    """As they come, by a port. Where nothing is live yet, a candidate gets them, too."""


def routed(folder: Path) -> Routed:
    """What the gateway of a home leads to; nothing where there are no files, or they are damaged.

    `folder` is the gateway's.
    """
    return Routed(
        frozenset(_activations(folder / f"{ROUTES}.json")),
        frozenset(_activations(folder / "listeners.json")),
    )


def _activations(path: Path) -> Iterator[str]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return
    for name in _clusters(content):
        if found := _ACTIVATION.match(name):
            yield found[0]


def _clusters(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        if _is_for_entrances(content):
            return
        if isinstance(content.get("cluster"), str):
            yield content["cluster"]
        content = list(content.values())
    if isinstance(content, list):
        for each in content:
            yield from _clusters(each)


def _is_for_entrances(content: dict[str, Any]) -> bool:
    """Whether it is a part of the routes that no host leads to."""
    domains = content.get("domains")
    if not isinstance(domains, list) or not domains:
        return False
    return all(str(each).startswith(f"{ENTRANCES}/") for each in domains)
