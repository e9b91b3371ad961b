"""What a builder is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """What else a Compose file says of a build; all of it may change the image."""

    network: str = ""
    """Of RUN; empty: the engine's usual one."""
    extra_hosts: tuple[str, ...] = ()
    """As `name:address`."""
    shm_size_bytes: int = 0
    platform: str = ""
    cache_from: tuple[str, ...] = ()
    pulls: bool = False
    """Whether newer base images are asked for."""
    labels: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    """For BuildKit, as its `--secret` takes them."""
    contexts: Mapping[str, str] = field(default_factory=dict)
    """For BuildKit: further folders and images by their names."""

    @property
    def needs_buildkit(self) -> str | None:
        """The key that the engine's own builder does not know, if there is one."""
        keys = {"secrets": self.secrets, "additional_contexts": self.contexts}
        return next((key for key, value in keys.items() if value), None)


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
    options: Options = field(default_factory=Options)
