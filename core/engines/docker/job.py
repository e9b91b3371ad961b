"""What a builder is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Job:
    """One image to be made."""

    context: Path
    """The folder that the Dockerfile copies from; holds nothing that is left out."""
    dockerfile: str
    arguments: Mapping[str, str]
    tag: str
    labels: Mapping[str, str]
    use_cache: bool
