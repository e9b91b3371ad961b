"""A proxy in front of the engine's socket, whose connections a test can cut, refuse and stall."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_CHUNK_BYTES = 64 * 1024


class Cut:
    """Passes every byte on, until it is told otherwise."""

    def __init__(self, engine_socket: str, folder: Path) -> None:
        self.connections = 0
        """How many are open now."""
        self._engine_socket = engine_socket
        self._path, self._hidden = folder / "docker.sock", folder / "hidden.sock"
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()

    @property
    def socket(self) -> str:
        """Where the engine seems to be."""
        return str(self._path)

    def cut_all(self) -> None:
        """Ends all connections in the middle of whatever they carry; new ones are taken."""
        for writer in self._writers:
            writer.transport.abort()

    def refuse(self, is_refusing: bool) -> None:
        """Takes no new connections, as if the engine did not run; those that are open go on."""
        if is_refusing and self._path.exists():
            self._path.rename(self._hidden)
        elif not is_refusing and self._hidden.exists():
            self._hidden.rename(self._path)

    def stall(self, is_stalling: bool) -> None:
        """Takes connections, but passes nothing on, in either direction."""
        if is_stalling:
            self._flows.clear()
        else:
            self._flows.set()

    def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begins with a connection of a client."""
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        """Ends all connections."""
        self.stall(False)
        self.cut_all()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            engine_reader, engine_writer = await asyncio.open_unix_connection(self._engine_socket)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, engine_writer}
        self._writers |= both
        self.connections += 1
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._pass_on(reader, engine_writer))
                tasks.create_task(self._pass_on(engine_reader, writer))
        finally:
            for each in both:
                each.close()
            await asyncio.wait([asyncio.ensure_future(each.wait_closed()) for each in both])
            self._writers -= both
            self.connections -= 1

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(_CHUNK_BYTES):
                await self._flows.wait()
                writer.write(chunk)
                await writer.drain()
            # The other direction goes on: who has said everything still wants the answer.
            writer.write_eof()
        except (ConnectionError, RuntimeError):
            writer.transport.abort()


@asynccontextmanager
async def cut(engine_socket: str) -> AsyncIterator[Cut]:
    """A proxy for as long as the block runs."""
    with tempfile.TemporaryDirectory(prefix="cut-", dir="/tmp") as folder:
        proxy = Cut(engine_socket, Path(folder))
        server = await asyncio.start_unix_server(proxy.take, proxy.socket)
        try:
            yield proxy
        finally:
            server.close()
            await proxy.end()
