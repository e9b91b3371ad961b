"""A command inside of a container that runs, ended when it takes too long."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.ending import to_the_end
from core.engines.base import Ran
from core.engines.docker.exits import exit_by
from core.engines.docker.frames import cut
from core.errors import CompartmentError
from core.lines import LineSplitter
from core.model import Stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.engines.docker.connection import Docker
    from core.secrets import Mask

Json = dict[str, Any]

_TELLS_ITS_PID: Final = 'echo $$; exec sh -c "$0"'
"""The engine cannot end a command; it is ended from inside, by the number that it has there."""

_ENDS: Final = 'kill -9 -"$0" 2>&-; kill -9 "$0"'
"""With its children, where it leads a group of its own."""

_ENDED_WITHIN_S: Final = 10.0


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
    said = _Said(mask, tells_its_pid=True)
    made = await _prepare(docker, container_id, "sh", "-c", _TELLS_ITS_PID, command)
    following = asyncio.ensure_future(_follow(docker, made, said))
    following.add_done_callback(lambda _: said.has_told_its_pid.set())
    try:
        async with asyncio.timeout(limit_s):
            await asyncio.shield(following)
    except BaseException:
        await to_the_end(_end(docker, container_id, said))
        raise
    finally:
        following.cancel()
        await asyncio.wait([following])
    return await _ran(docker, made, said)


async def run_argv(
    docker: Docker, container_id: str, argv: Sequence[str], limit_s: float, mask: Mask
) -> Ran:
    """Runs a program without a shell, for what has none.

    One that takes longer is ended where this process may do so, as root on the engine's machine;
    else it goes on.

    Raises:
        The same as `run_beside`.
    """
    said = _Said(mask)
    made = await _prepare(docker, container_id, *argv)
    try:
        async with asyncio.timeout(limit_s):
            await _follow(docker, made, said)
    except BaseException:
        await to_the_end(_kill(docker, container_id, made))
        raise
    return await _ran(docker, made, said)


async def _ran(docker: Docker, made: str, said: _Said) -> Ran:
    ended: Json = await docker.get(f"/exec/{made}/json")
    return Ran(exit_by(ended["ExitCode"]), said.last)


class _Said:
    """What a command says, of which the last line is kept.

    One that tells its number does so first on standard output.
    """

    def __init__(self, mask: Mask | None, *, tells_its_pid: bool = False) -> None:
        self.pid: str | None = None if tells_its_pid else ""
        self.has_told_its_pid = asyncio.Event()
        """Also when it has ended without."""
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
                self.has_told_its_pid.set()
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


async def _kill(docker: Docker, container_id: str, made: str) -> None:
    with suppress(CompartmentError, OSError):
        pid = int((await docker.get(f"/exec/{made}/json"))["Pid"])
        if await asyncio.to_thread(_is_in, pid, container_id):
            os.kill(pid, signal.SIGKILL)


def _is_in(pid: int, container_id: str) -> bool:
    """Else the number is one of another machine, or was given to somebody else by now."""
    return pid > 0 and container_id in Path(f"/proc/{pid}/cgroup").read_text()


async def _end(docker: Docker, container_id: str, said: _Said) -> None:
    with suppress(CompartmentError, TimeoutError):  # a container that is gone took it along
        async with asyncio.timeout(_ENDED_WITHIN_S):
            # A busy engine may still be starting it.
            await said.has_told_its_pid.wait()
            if said.pid is None:
                return
            made = await _prepare(docker, container_id, "sh", "-c", _ENDS, said.pid)
            await docker.order("POST", f"/exec/{made}/start", {"Detach": True, "Tty": False})
