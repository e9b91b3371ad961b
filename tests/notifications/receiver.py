"""A webhook that answers as a test tells it to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PATIENCE_S = 45.0

Answer = Callable[[asyncio.StreamWriter, str], Awaitable[None]]


def status(code: int, body: str = "", **headers: str) -> Answer:
    """Answers with a status; `{path}` in the body is the path that was asked."""

    async def answer(writer: asyncio.StreamWriter, path: str) -> None:
        content = body.replace("{path}", path).encode()
        fields = {"content-length": str(len(content)), "connection": "close", **headers}
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
        writer.write(f"HTTP/1.1 {code} x\r\n{lines}\r\n".encode() + content)

    return answer


async def hangs(_: asyncio.StreamWriter, __: str) -> None:
    """Never answers."""
    await asyncio.Event().wait()


async def hangs_up(writer: asyncio.StreamWriter, _: str) -> None:
    """Closes without a reply."""
    writer.close()


@dataclass
class Asked:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Answers with the next of `answers`, and when there is none left with 204."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until_asked(self, times: int) -> list[Asked]:
        """All requests, once there are so many."""
        async with asyncio.timeout(PATIENCE_S), self._came:
            await self._came.wait_for(lambda: len(self.asked) >= times)
        return self.asked

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        fields = [line.partition(": ") for line in head[1:] if line]
        headers = {name.lower(): value for name, _, value in fields}
        body = await reader.readexactly(int(headers["content-length"]))
        path = head[0].split(" ")[1]
        async with self._came:
            self.asked.append(Asked(path, headers, body))
            answer = self.answers.pop(0) if self.answers else status(204)
            self._came.notify_all()
        await answer(writer, path)


@asynccontextmanager
async def receiver(*answers: Answer) -> AsyncIterator[Receiver]:
    """A running one."""
    found = Receiver(answers=list(answers))
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            await found.serve(reader, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address, port = server.sockets[0].getsockname()
    found.url = f"http://{address}:{port}"
    try:
        yield found
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
