"""The Dockerfile of a folder that has none: the same folder runs as it does without Docker."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from core.engines.docker.labels import INIT
from core.engines.docker.languages.choice import choose
from core.engines.source.detect import NothingToRun, detect_command, shell_argv

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from core.engines.docker.languages.recipe import Recipe
    from core.model import Service

DEFAULT_PORT = 3000

_HEAD = """\
# Made for what the folder holds{found}.
# To change it, save it as Dockerfile in that folder, and take run.command, build.command and
# build.packages out of the project file. Then .dockerignore alone leaves files out of the build."""
_USER = "RUN useradd --create-home app && mkdir /app && chown app:app /app"
_FOLDER = "WORKDIR /app"


def generated(folder: Path, service: Service) -> str:
    """The Dockerfile for a folder that has none, or whose own one is not to be used.

    Raises:
        ConfigError: nothing in the folder says how the service is built or run.
    """
    command, found, nothing = service.run_command, "", None
    if command is None:
        try:
            # In a container of its own, where nothing but the gateway reaches it.
            detected = detect_command(folder, service.name, service.kind, host="0.0.0.0")  # noqa: S104
            command, found = detected.command, detected.because.partition(":")[0]
        except NothingToRun as error:
            nothing = error
    recipe = choose(folder, command, is_built_by_command=service.build.command is not None)
    if service.run_command is None and command in (None, "npm start"):
        command = recipe.command or command
    if command is None:
        assert nothing is not None
        raise nothing
    files = ", ".join(dict.fromkeys(name for name in (*recipe.found, found) if name))
    return "\n".join(_lines(service, recipe, command, files)) + "\n"


def _lines(service: Service, recipe: Recipe, command: str, files: str) -> Iterator[str]:
    yield _HEAD.format(found=f": {files}" if files else "")
    build, settings = service.build, list(_settings(service, recipe, command))
    if recipe.runs_on is None and not build.build_packages:
        yield f"FROM {recipe.base}"
        yield from _packages(build.runtime_packages)
        yield from (_USER, _FOLDER)
        yield from _built(service, recipe, "COPY --chown=app:app", ["USER app"], settings)
    else:
        yield f"FROM {recipe.base} AS build"
        yield from _packages((*build.build_packages, *build.runtime_packages))
        yield _FOLDER
        yield from _built(service, recipe, "COPY", [], [])
        yield f"\nFROM {recipe.runs_on or recipe.base}"
        yield from _packages(build.runtime_packages)
        yield from (_USER, _FOLDER, "USER app", *settings)
        yield from (f"COPY --from=build {path} {path}" for path in recipe.brings)
        yield "COPY --chown=app:app --from=build /app /app"


def _settings(service: Service, recipe: Recipe, command: str) -> Iterator[str]:
    yield from (f"ENV {name}={value}" for name, value in recipe.environment.items())
    yield f"LABEL {INIT}=true"
    if service.kind.is_routable:
        # What is asked for by the gateway comes from outside of the container.
        yield "ENV HOST=0.0.0.0"
        yield f"EXPOSE {service.port or DEFAULT_PORT}"
    yield f"CMD {json.dumps(shell_argv(command))}"


def _packages(names: Iterable[str]) -> Iterator[str]:
    if listed := " ".join(dict.fromkeys(names)):
        yield (
            "RUN apt-get update && DEBIAN_FRONTEND=noninteractive"
            f" apt-get install -y --no-install-recommends {listed}"
            " && rm -rf /var/lib/apt/lists/*"
        )


def _built(
    service: Service, recipe: Recipe, copy: str, user: list[str], settings: list[str]
) -> Iterator[str]:
    """The service: first what changes seldom, so that a change of the source is built fast."""
    yield from (f"ARG {name}" for name in service.build.env)
    if not recipe.is_for_all:
        yield from user
    source = [f"{copy} . ."]
    install = [_run(recipe.install)] if recipe.install else []
    if recipe.install and not recipe.needed:
        install, source = [*source, *install], []
    elif recipe.install:
        yield f"{copy} {' '.join(recipe.needed)} ./"
    yield from install
    if recipe.is_for_all:
        yield from user
    yield from (*settings, *source)
    if command := service.build.command or recipe.build:
        yield _run(command)


def _run(command: str) -> str:
    """A step with a command of any text, in the plain form wherever that means the same."""
    is_plain = re.fullmatch(r"(?![\[\s-])(?:(?!<<).)*[^\\\s]", command)
    return f"RUN {command}" if is_plain else f"RUN {json.dumps(['/bin/sh', '-c', command])}"
