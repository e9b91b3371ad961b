"""Shows what a service is built with by the Docker engine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.exits import Exit
from core.cli.target import ask, check_service, compose_options, project_here, project_in
from core.cli.text import plain_lines
from core.errors import UsageError

if TYPE_CHECKING:
    from argparse import Namespace

    from core.cli.output import Output
    from core.container import Container
    from core.model import Project


def dockerfile(arguments: Namespace, output: Output) -> int:
    """Prints the path of a service's own Dockerfile, else the one that is generated."""
    options = compose_options(arguments)
    here = project_in(Path(arguments.path), options) if arguments.path else project_here(options)
    project, name = here.project, _service(arguments.service, here.project)
    container = project.services[name].container
    if container is not None:
        found = {"project": project.name, "serviceName": name, **_written(name, container)}
    else:
        query = {"root": str(project.root), "service": name}
        found = ask(lambda client: client.dockerfile(query))
    text = found["file"] or (found["dockerfile"] or "").rstrip("\n")
    output.answer(found, lambda: plain_lines(text))
    return Exit.DONE


def _written(name: str, container: Container) -> dict[str, str | None]:
    """What a Compose file says a service is built with."""
    build = container.build
    if build is None:
        raise UsageError(f"{name} is not built: it runs the image {container.image}")
    file = str(Path(build.context, build.dockerfile)) if not build.dockerfile_inline else None
    return {"file": file, "dockerfile": build.dockerfile_inline}


def _service(name: str | None, project: Project) -> str:
    check_service(name, project.services)
    if name is None and len(project.services) > 1:
        names = ", ".join(project.services)
        raise UsageError(f"whose Dockerfile: {project.name} has {names}", hint="add --service NAME")
    return name or next(iter(project.services))
