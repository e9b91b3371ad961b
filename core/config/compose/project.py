"""The project that Compose files describe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.config.compose.keys.names import own_name
from core.config.compose.loading import load_compose
from core.config.compose.mapping.project import services_of
from core.config.failure import config_error
from core.model import Project

if TYPE_CHECKING:
    from pathlib import Path

    from core.config.compose.options import ComposeOptions


def load_compose_project(root: Path, options: ComposeOptions) -> Project:
    """Return the project whose Compose files are in a folder, or are named by the options.

    Raises:
        ConfigError: Something is wrong; its `problems` are all of them, of all files.
    """
    loaded = load_compose(root, options)
    services, problems, notes = services_of(loaded, loaded.folder)
    if problems:
        raise config_error(problems)
    return Project(
        name=own_name(loaded.model["name"]),
        root=loaded.folder,
        services=services,
        files=tuple(str(file) for file in loaded.files),
        notes=(*loaded.notes, *notes),
    )
