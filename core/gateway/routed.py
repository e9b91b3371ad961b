"""What traffic follows now: read from the files that Envoy serves by, whoever has written them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.gateway.resources import INTERNAL, PUBLIC

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
        frozenset(_activations(folder / f"{PUBLIC}.json", folder / f"{INTERNAL}.json")),
        frozenset(_activations(folder / "listeners.json")),
    )


def _activations(*paths: Path) -> Iterator[str]:
    for path in paths:
        try:
            content = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
        for name in _clusters(content):
            if found := _ACTIVATION.match(name):
                yield found[0]


def _clusters(content: Any) -> Iterator[str]:
    if isinstance(content, dict):
        if isinstance(content.get("cluster"), str):
            yield content["cluster"]
        content = list(content.values())
    if isinstance(content, list):
        for each in content:
            yield from _clusters(each)
