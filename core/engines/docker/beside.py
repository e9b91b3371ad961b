"""A shell command inside of a container that runs, ended when it takes too long."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from core.ending import to_the_end
from core.engines.base import Ran
from core.engines.docker.exits import exit_by
from core.engines.docker.frames import cut
from core.errors import CompartmentError
from core.lines import LineSplitter

if TYPE_CHECKING:
    from core.engines.docker.connection import Docker
    from core.secrets import Mask

Json = dict[str, Any]

_TELLS_ITS_PID: Final = 'echo $$; exec sh -c "$0"'
"""The engine cannot end a command; it is ended from inside, by the number that it has there."""

_ENDS: Final = 'kill -9 -"$0" 2>&-; kill -9 "$0"'
"""With its children, where it leads a group of its own."""

_ENDED_WITHIN_S: Final = 5.0


async def run_beside(
    docker: Docker, container_id: str, command: str, limit_s: float, mask: Mask | None = None
) -> Ran:
    """Runs a command, as `docker exec` does; the mask hides secrets in what it says.

    Raises:
        TimeoutError: it took longer.
        NotFound: there is no such container.
        EngineUnavailable: the engine cannot be reached.
        CompartmentError: the container does not run.
    """
    lines: list[str] = []
    made = await _prepare(docker, container_id, "sh", "-c", _TELLS_ITS_PID, command)
    try:
        async with asyncio.timeout(limit_s):
            await _follow(docker, made, lines, LineSplitter(mask))
    except BaseException:
        if lines:
            await to_the_end(_end(docker, container_id, lines[0]))
        raise
    ended: Json = await docker.get(f"/exec/{made}/json")
    said = lines[-1] if len(lines) > 1 else ""
    return Ran(exit_by(ended["ExitCode"]), said)


async def _follow(docker: Docker, made: str, lines: list[str], splitter: LineSplitter) -> None:
    """Keeps the first line, which is its number, and the last one."""
    rest = bytearray()
    attached = {"Detach": False, "Tty": False}
    async with docker.stream("POST", f"/exec/{made}/start", attached) as chunks:
        async for chunk in chunks:
            rest += chunk
            for _, output in cut(rest):
                _keep(lines, splitter.feed(output))
    _keep(lines, splitter.flush())


def _keep(lines: list[str], found: list[str]) -> None:
    lines += [line.strip() for line in found if line.strip()]
    del lines[1:-1]


async def _prepare(docker: Docker, container_id: str, *command: str) -> str:
    made: Json = await docker.call(
        lambda client: client.exec_create(container_id, list(command), stdin=False)
    )
    return str(made["Id"])


async def _end(docker: Docker, container_id: str, pid: str) -> None:
    with suppress(CompartmentError, TimeoutError):  # a container that is gone took it along
        async with asyncio.timeout(_ENDED_WITHIN_S):
            made = await _prepare(docker, container_id, "sh", "-c", _ENDS, pid)
            await docker.order("POST", f"/exec/{made}/start", {"Detach": True, "Tty": False})
