"""Which project and environment a command means, and the agent that it asks."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from core.cli.text import is_utf8
from core.errors import UsageError

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from core.agent.client import Client
    from core.model import Project

T = TypeVar("T")


def ask(use: Callable[[Client], Awaitable[T]]) -> T:
    """Runs a conversation with the agent, which is started where none runs."""
    from core.agent.client import Client
    from core.files import Home

    async def conversation() -> T:
        async with Client.connected(Home.locate()) as client:
            return await use(client)

    return asyncio.run(conversation())


def target_of(arguments: Namespace) -> dict[str, Any]:
    """The project and environment, as requests name them. Needs no valid project file."""
    name = arguments.project or name_in_file() or project_here().name
    return {"project": name, "environment": arguments.env}


def service_query(arguments: Namespace) -> dict[str, Any]:
    """The same with the one service that may be named."""
    return {**target_of(arguments), "service": arguments.service}


def project_here() -> Project:
    """The project of this folder or of the nearest one above it, valid as a whole.

    Raises:
        ConfigError: there is none, or something is wrong with it.
    """
    return project_in(_here())


def project_in(folder: Path) -> Project:
    """The same for another folder."""
    from core.config.project import find_project, load_project

    return load_project(find_project(folder))


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


def name_in_file() -> str | None:
    """The name in the nearest project file, if that much of it can be read.

    Validating the file would take longer than most commands that only need its name.
    """
    name = _in_file().get("name")
    return name if isinstance(name, str) and name else None


def services_in_file(project: str) -> list[str]:
    """The services of the nearest project file, as `name_in_file` reads it.

    There are none where it is the file of another project.
    """
    from core.config.document import mapping

    data = _in_file()
    named = mapping(data.get("services")) if data.get("name") == project else {}
    return [str(each) for each in named]


def _in_file() -> dict[str, Any]:
    from core.config.document import mapping
    from core.config.yaml import read_yaml

    folder = _here()
    for file in (each / "compartment.yml" for each in (folder, *folder.parents)):
        if file.is_file():
            return mapping(read_yaml(file.read_bytes(), file.name).data)
    return {}
