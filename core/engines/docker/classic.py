"""Builds with the engine's own builder, for where docker's CLI has no BuildKit."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any, Final

from core.ending import to_the_end
from core.engines.docker import labels
from core.engines.docker.archive import chunks, pack
from core.engines.docker.failures import Failure
from core.engines.docker.instructions import bases, instructions, with_labels
from core.engines.docker.labels import Role
from core.engines.docker.progress import Progress, messages
from core.engines.source.build import TIMEOUT_S
from core.engines.source.disk import blocking
from core.errors import CompartmentError, EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.engines.docker.connection import Docker
    from core.engines.docker.job import Job

Json = dict[str, Any]

_DOCKERFILE: Final = ".compartment.Dockerfile"
_IGNORED: Final = {".dockerignore": f"{_DOCKERFILE}\n.dockerignore\n".encode()}
"""The engine reads these two, then removes them before anything is copied."""


async def build(
    docker: Docker, home: str, job: Job, say: Callable[[str], None], layers: set[str]
) -> None:
    """Makes an image. A cancellation ends the connection, and thereby the engine what it does.

    Args:
        docker: The engine.
        home: Whose the layers are, also those of a build that fails.
        job: What is to be made.
        say: Gets each line of output.
        layers: Gets the beginnings of the ids of all images that the build goes through.

    Raises:
        CompartmentError: the build failed, where and why.
        EngineUnavailable: the engine went away.
    """
    # On every stage, so that what a build leaves behind can be told from what is not ours.
    marks = {labels.ARTIFACT: "", labels.HOME: home, labels.ROLE: Role.BUILD}
    dockerfile, added = with_labels(job.dockerfile, marks, job.labels)
    steps = list(instructions(job.dockerfile))
    progress = Progress(len(steps), say)
    archive = job.context.with_name(f"{job.context.name}.tar")
    try:
        await blocking(pack, job.context, archive, {_DOCKERFILE: dockerfile.encode(), **_IGNORED})
        async with (
            asyncio.timeout(TIMEOUT_S),
            docker.stream("POST", "/build", chunks(archive), **_parameters(job)) as answer,
        ):
            async for message in messages(answer):
                progress.hear(message)
    except EngineUnavailable:
        raise
    except TimeoutError:
        progress.error = f"it did not finish within {TIMEOUT_S / 60:g} min"
    except CompartmentError as error:
        progress.error = _in_own_lines(error.message, added)
    finally:
        progress.end()
        layers |= progress.layers
        await to_the_end(blocking(_remove, archive))
    if progress.error is not None:
        at = steps[progress.step - 1] if 0 < progress.step <= len(steps) else None
        raise Failure(progress.error, at, bases(job.dockerfile, job.arguments)).explained()
    if not progress.is_done:
        raise EngineUnavailable(
            "the Docker Engine ended the build without a word", hint="see its log, and deploy again"
        )


def _parameters(job: Job) -> Json:
    options = job.options
    asked: Json = {
        "dockerfile": _DOCKERFILE,
        "t": job.tag,
        "buildargs": json.dumps(dict(job.arguments)),
        "rm": "1",
        "forcerm": "1",
        "nocache": "" if job.use_cache else "1",
        "pull": "1" if options.pulls else "",
        "networkmode": options.network,
        "extrahosts": list(options.extra_hosts),
        "shmsize": options.shm_size_bytes,
        "platform": options.platform,
        "cachefrom": json.dumps(options.cache_from) if options.cache_from else "",
    }
    return {name: value for name, value in asked.items() if value}


def _in_own_lines(message: str, added: list[int]) -> str:
    """The message with the numbers that the lines of the Dockerfile have without ours."""

    def own(match: re.Match[str]) -> str:
        number = int(match[1])
        return f"line {number - sum(line < number for line in added)}"

    return re.sub(r"\bline (\d+)", own, message.removeprefix("the Docker Engine refused: "))


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
