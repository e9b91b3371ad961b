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
from core.model import Stream

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
    said = _Said(mask)
    made = await _prepare(docker, container_id, "sh", "-c", _TELLS_ITS_PID, command)
    try:
        async with asyncio.timeout(limit_s):
            await _follow(docker, made, said)
    except BaseException:
        if said.pid:
            await to_the_end(_end(docker, container_id, said.pid))
        raise
    ended: Json = await docker.get(f"/exec/{made}/json")
    return Ran(exit_by(ended["ExitCode"]), said.last)


class _Said:
    """What a command says: its number, first on standard output; of the rest the last line."""

    def __init__(self, mask: Mask | None) -> None:
        self.pid: str | None = None
        self.last = ""
        # Which of the two streams comes first is not certain.
        self._splitters = {each: LineSplitter(mask) for each in (Stream.STDOUT, Stream.STDERR)}

    def hear(self, stream: Stream, output: bytes) -> None:
        self._take(stream, self._splitters[stream].feed(output))

    def end(self) -> None:
        for stream, splitter in self._splitters.items():
            self._take(stream, splitter.flush())

    def _take(self, stream: Stream, lines: list[str]) -> None:
        for line in filter(None, map(str.strip, lines)):
            if stream is Stream.STDOUT and self.pid is None:
                self.pid = line
            else:
                self.last = line


async def _follow(docker: Docker, made: str, said: _Said) -> None:
    rest = bytearray()
    attached = {"Detach": False, "Tty": False}
    async with docker.stream("POST", f"/exec/{made}/start", attached) as chunks:
        async for chunk in chunks:
            rest += chunk
            for stream, output in cut(rest):
                said.hear(stream, output)
    said.end()


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
