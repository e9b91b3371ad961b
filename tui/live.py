"""Opening the dashboard of a project whose files make sense."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from core.cli.target import compose_options, name_in_file, project_here, project_in
from core.errors import UsageError
from core.remote.where import asked_at
from tui.aside import Aside

if TYPE_CHECKING:
    from argparse import Namespace
    from pathlib import Path

    from core.cli.target import Here


def open_live(arguments: Namespace) -> int:
    """Opens the dashboard of a project's environment; returns the exit code."""
    # Checking the files takes about as long as importing Textual, and nothing else of either.
    checking = Aside(lambda: project_of(arguments))
    from tui.dashboard import Dashboard

    here = checking.result()
    project, compose = here or (None, compose_options(arguments))
    with asked_at(arguments.server):
        return asyncio.run(Dashboard(arguments, project, compose=compose).run())


def project_of(arguments: Namespace) -> Here | None:
    """The project whose files are here; None where another one is named.

    Raises:
        ConfigError: there is none and none is named, or something is wrong with it.
        UsageError: the file that is named is no project file.
    """
    from core.config.file_names import DESCRIPTOR_FILE

    path: Path | None = arguments.path
    options = compose_options(arguments)
    if path is not None:
        if path.is_file() and path.name != DESCRIPTOR_FILE:
            hint = "name a folder, or a Compose file with -f"
            raise UsageError(f"{path} is no {DESCRIPTOR_FILE}", hint=hint)
        return project_in(path.parent if path.is_file() else path, options)
    if arguments.project is not None and name_in_file(options) != arguments.project:
        return None
    return project_here(options)
