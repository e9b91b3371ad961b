"""What project files say at first glance: the name of the project, and its services.

Most commands need no more, and checking a file takes longer than what they do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.config.document import mapping
from core.config.file_names import DESCRIPTOR_FILE
from core.config.project import find_project, has_descriptor
from core.config.yaml import read_yaml
from core.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from core.config.compose.options import ComposeOptions


@dataclass(frozen=True, slots=True)
class Glance:
    """A project that may be wrong in all else."""

    name: str | None = None
    """None where even that cannot be read."""
    services: tuple[str, ...] = ()


def glance(start: Path, options: ComposeOptions) -> Glance:
    """Return what the nearest project files say, those that are named included; never raises."""
    try:
        root = find_project(start, options)
        if has_descriptor(root) and not options.files:
            return _descriptor(root)
        return _compose(root, options)
    except (ConfigError, OSError):
        return Glance()


def _descriptor(root: Path) -> Glance:
    file = root / DESCRIPTOR_FILE
    if not file.is_file():
        return Glance()
    data = mapping(read_yaml(file.read_bytes(), file.name).data)
    name = data.get("name")
    services = tuple(str(each) for each in mapping(data.get("services")))
    return Glance(name if isinstance(name, str) and name else None, services)


def _compose(root: Path, options: ComposeOptions) -> Glance:
    from core.config.compose.keys.names import own_name
    from core.config.compose.loading import name_and_services

    name, services = name_and_services(root, options)
    return Glance(own_name(name) if name else None, services)
