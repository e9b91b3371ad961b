"""What was read in one folder, as it would be had it been read in another."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


def relocated(value: T, here: Path, there: Path) -> T:
    """The same value with every path below `here` below `there`; frozen dataclasses included."""
    found: T = _relocated(value, str(here), str(there))
    return found


def _relocated(value: Any, here: str, there: str) -> Any:
    if isinstance(value, str):
        is_path = value == here or value.startswith(f"{here}/")
        return type(value)(there + value[len(here) :]) if is_path else value
    if isinstance(value, Path):
        return Path(_relocated(str(value), here, there))
    if isinstance(value, dict):
        return {name: _relocated(each, here, there) for name, each in value.items()}
    if isinstance(value, list):
        return [_relocated(each, here, there) for each in value]
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(_relocated(each, here, there) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(
            value,
            **{
                each.name: _relocated(getattr(value, each.name), here, there)
                for each in fields(value)
                if each.init
            },
        )
    return value
