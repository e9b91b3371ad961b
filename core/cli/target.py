"""Which project and environment a command means, and the agent that it asks."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from core.cli.text import is_utf8
from core.errors import UsageError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from core.agent.client import Client
    from core.config.compose.options import ComposeOptions
    from core.model import Project

T = TypeVar("T")


def ask(use: Callable[[Client], Awaitable[T]]) -> T:
    """Runs a conversation with the agent, which is started where none runs."""
    from core.agent.client import Client
    from core.remote.where import agent_door

    async def conversation() -> T:
        async with Client.connected(agent_door()) as client:
            return await use(client)

    return asyncio.run(conversation())


def target_of(arguments: Namespace) -> dict[str, Any]:
    """The project and environment, as requests name them. Needs no valid project file."""
    return {"project": arguments.project or _name_here(arguments), "environment": arguments.env}


def _name_here(arguments: Namespace) -> str:
    options = compose_options(arguments)
    return name_in_file(options) or project_here(options).project.name


def service_query(arguments: Namespace) -> dict[str, Any]:
    """The same with the one service that may be named."""
    return {**target_of(arguments), "service": arguments.service}


def compose_options(arguments: Namespace) -> ComposeOptions:
    """What the command line and the environment say about Compose files."""
    from core.config.compose.options import ComposeOptions

    named = getattr(arguments, "service", None) or ()
    return ComposeOptions(
        files=_absolute(arguments.file),
        env_files=_absolute(arguments.env_file),
        profiles=tuple(arguments.profile or ()),
        environ=dict(os.environ),
        services=(named,) if isinstance(named, str) else tuple(named),
    )


def _absolute(paths: list[str] | None) -> tuple[str, ...]:
    """Paths as they are anywhere; a dash stays one, to be refused with a reason."""
    return tuple("-" if path == "-" else os.path.abspath(path) for path in paths or ())  # noqa: PTH100 - keeps links


class Here(NamedTuple):
    """A project, valid as a whole."""

    project: Project
    options: ComposeOptions
    """Those that lead to it from wherever its files are read."""


def project_here(options: ComposeOptions) -> Here:
    """The project of this folder or of the nearest one above it.

    Raises:
        ConfigError: there is none, or something is wrong with it.
    """
    return project_in(_here(), options)


def project_in(folder: Path, options: ComposeOptions) -> Here:
    """The same for another folder."""
    from core.config.project import find_project, load_project, pinned

    found = find_project(folder, options)
    project = load_project(found, options)
    return Here(project, pinned(project, found, options))


def check_service(service: str | None, services: Collection[str]) -> None:
    """Refuses a service that is not among those there are; None is all of them.

    Raises:
        UsageError: there is no such service; with the nearest name.
    """
    from core.config.document import did_you_mean

    if service is not None and service not in services:
        message = f"there is no service {service}"
        raise UsageError(message, hint=did_you_mean(service, services))


def check_deployable(project: Project, name: str, services: Sequence[str]) -> None:
    """Refuses what cannot be deployed under a name: all services where none is named.

    Raises:
        UsageError: it cannot be deployed as it is asked for.
    """
    from core.config.document import did_you_mean
    from core.config.patterns import PATTERN_WORDS, PROJECT_NAME

    if not re.fullmatch(PROJECT_NAME, name):
        message = f"{name!r} cannot be the name of a project"
        raise UsageError(message, hint=f"use {PATTERN_WORDS[PROJECT_NAME]}")
    for service in services:
        if service not in project.services:
            message = f"there is no service {service} in {project.name}"
            raise UsageError(message, hint=did_you_mean(service, project.services))
    if not is_utf8(str(project.root)):
        message = f"the path of the project is not UTF-8: {str(project.root)!r}"
        raise UsageError(message, hint="rename the folder")


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise UsageError("the current folder does not exist any more") from None


def name_in_file(options: ComposeOptions) -> str | None:
    """The name in the nearest project files, if that much of them can be read."""
    from core.config.glance import glance

    return glance(_here(), options).name


def services_in_file(project: str, options: ComposeOptions) -> tuple[str, ...]:
    """The services of the nearest project files; none where they are those of another project."""
    from core.config.glance import glance

    found = glance(_here(), options)
    return found.services if found.name == project else ()
