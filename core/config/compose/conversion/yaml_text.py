"""Plain data as the text of a YAML file that a person goes on with."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from core.config.scalars import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN = re.compile(r"[A-Za-z0-9_./*-]+( [A-Za-z0-9_./*-]+)*")


def yaml_text(data: dict[str, Any]) -> str:
    """Return mappings, lists of mappings and scalars in block style, in their order."""
    return "".join(f"{line}\n" for line in _mapping(data))


def _mapping(data: dict[str, Any]) -> Iterator[str]:
    for key, value in data.items():
        if isinstance(value, dict):
            yield f"{_scalar(key)}:"
            yield from (f"  {line}" for line in _mapping(value))
        elif isinstance(value, list):
            yield f"{_scalar(key)}:"
            for each in value:
                first, *rest = _mapping(each)
                yield f"  - {first}"
                yield from (f"    {line}" for line in rest)
        else:
            yield f"{_scalar(key)}: {_scalar(value)}"


def _scalar(value: str | float) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    is_plain = _PLAIN.fullmatch(value) and value[0].isalnum() and isinstance(resolve(value), str)
    # YAML reads the text of JSON as it is.
    return value if is_plain or value in (".",) else json.dumps(value)
