"""Shows what a service is built with by the Docker engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.exits import Exit
from core.cli.target import ask, check_service, project_here, project_in
from core.cli.text import plain_lines
from core.errors import UsageError

if TYPE_CHECKING:
    from argparse import Namespace

    from core.cli.output import Output
    from core.model import Project


def dockerfile(arguments: Namespace, output: Output) -> int:
    """Prints the path of a service's own Dockerfile, else the one that is generated."""
    project = project_in(Path(arguments.path)) if arguments.path else project_here()
    query = {"root": str(project.root), "service": _service(arguments.service, project)}
    found = ask(lambda client: client.dockerfile(query))
    text = found["file"] or found["dockerfile"].rstrip("\n")
    output.answer(found, lambda: plain_lines(text))
    return Exit.DONE


def _service(name: str | None, project: Project) -> str:
    check_service(name, project.services)
    if name is None and len(project.services) > 1:
        names = ", ".join(project.services)
        raise UsageError(f"whose Dockerfile: {project.name} has {names}", hint="add --service NAME")
    return name or next(iter(project.services))
