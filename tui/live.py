"""Opening the dashboard of a project whose files make sense."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from core.cli.target import name_in_file, project_here, project_in
from core.errors import UsageError
from tui.aside import Aside

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from core.model import Project


def open_live(arguments: Namespace) -> int:
    """Opens the dashboard of a project's environment; returns the exit code."""
    # Checking the files takes about as long as importing Textual, and nothing else of either.
    checking = Aside(lambda: project_of(arguments))
    from tui.dashboard import Dashboard

    return asyncio.run(Dashboard(arguments, checking.result()).run())


def project_of(arguments: Namespace) -> Project | None:
    """The project whose files are here; None where another one is named.

    Raises:
        ConfigError: there is none and none is named, or something is wrong with it.
        UsageError: the file that is named is no project file.
    """
    from core.config.file_names import DESCRIPTOR_FILE

    path: Path | None = arguments.path
    if path is not None:
        if path.is_file() and path.name != DESCRIPTOR_FILE:
            raise UsageError(f"{path} is no {DESCRIPTOR_FILE}", hint="name a folder")
        return project_in(path.parent if path.is_file() else path)
    if arguments.project is not None and name_in_file() != arguments.project:
        return None
    return project_here()
