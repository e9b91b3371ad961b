"""What an image of a folder is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Recipe:
    """The language's part of a generated Dockerfile; commands are for `/bin/sh`."""

    base: str
    """The image that it is built on."""
    found: tuple[str, ...] = ()
    """The files that say so, for the reader of the Dockerfile."""
    needed: tuple[str, ...] = ()
    """All that `install` reads, so that it is done again only when one of these changes.

    Empty where it may read anything.
    """
    install: str | None = None
    is_for_all: bool = False
    """Whether it installs into the system, which only root may, instead of the service's folder."""
    build: str | None = None
    """What `build.command` takes the place of."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Of the service, besides what the platform gives it."""
    command: str | None = None
    """How it is run, where the language knows better than what was detected."""
    runs_on: str | None = None
    """The image that what was built runs on, where it is another one."""
    brings: tuple[str, ...] = ()
    """Folders that go from the image that builds to the one that runs, besides the service's."""
