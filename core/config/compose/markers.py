"""What the tags `!reset` and `!override` leave in the data of a file, until files are merged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Reset:
    """`!reset`: whatever the files before it say here is forgotten."""


@dataclass(frozen=True, slots=True)
class Override:
    """`!override`: this takes the place of what the files before it say, and is not merged."""

    value: Any
