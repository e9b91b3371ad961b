"""Finding a project and loading it, whichever files it has; all their problems at once."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.config.compose.environment import ENV_FILE
from core.config.compose.files import USUAL_NAMES, are_named
from core.config.compose.options import ComposeOptions
from core.config.file_names import DESCRIPTOR_FILE
from core.errors import ConfigError

if TYPE_CHECKING:
    from core.model import Project

_NO_OPTIONS = ComposeOptions()


def find_project(start: Path, options: ComposeOptions = _NO_OPTIONS) -> Path:
    """Return the folder of the project: that of the Compose files that are named, else the nearest.

    The nearest is `start` or one above it that has a `compartment.yml` or a Compose file.

    Raises:
        ConfigError: There is none.
    """
    if options.files:
        return Path(options.files[0]).parent
    if not os.access(start, os.F_OK):
        raise ConfigError(f"{start} does not exist")
    start = start.resolve()
    for folder in (start, *start.parents):
        if has_descriptor(folder) or _has_compose(folder) or are_named(folder, options):
            return folder
    raise ConfigError(
        f"no {DESCRIPTOR_FILE} in {start} or in any folder above it, and no Compose file",
        hint="go to a project, or make one with: compartment init",
    )


def has_descriptor(folder: Path) -> bool:
    """Whether a folder has a `compartment.yml`, which comes before Compose files beside it."""
    return os.path.lexists(folder / DESCRIPTOR_FILE)


def load_project(root: Path, options: ComposeOptions = _NO_OPTIONS) -> Project:
    """Return the project in a folder: its `compartment.yml`, or else its Compose files.

    Raises:
        ConfigError: Something is wrong; its `problems` are all of them, of all files.
    """
    # Each is loaded where it is needed: the one takes pydantic, the other a reader of its own.
    if has_descriptor(root) and not options.files:
        from core.config.descriptor_project import load_descriptor

        return load_descriptor(root)
    from core.config.compose.project import load_compose_project

    return load_compose_project(root, options)


def pinned(project: Project, found: Path, options: ComposeOptions) -> ComposeOptions:
    """Return options that lead to the same project from wherever they are read.

    Args:
        project: As it was loaded.
        found: Where, which is not its folder where a variable names its files.
        options: With which.
    """
    if not project.is_compose:
        return options
    env_files = options.env_files
    if not env_files and found != project.root:
        # The last one wins.
        both = (project.root / ENV_FILE, found / ENV_FILE)
        env_files = tuple(str(each) for each in both if each.is_file())
    return replace(options, files=project.files, env_files=env_files)


def _has_compose(folder: Path) -> bool:
    return any((folder / name).exists() for name in USUAL_NAMES)
