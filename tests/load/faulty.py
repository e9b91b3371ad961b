"""A server that replies as the lab does, but breaks every so many requests on purpose."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import struct
from contextlib import asynccontextmanager, suppress
from enum import StrEnum
from typing import TYPE_CHECKING

from tests.load.plan import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable


class Fault(StrEnum):
    """What the server does instead of replying."""

    RESET = "reset"
    CLOSE = "close"
    UNAVAILABLE = "503"
    SHORT_BODY = "short body"
    SILENCE = "silence"
    OTHER_BODY = "other body"
    OTHER_ID = "other id"
    NO_LAB = "no lab"


class FaultyServer:
    """Breaks the last request of every `period`; `broken` counts them, `requests` all."""

    def __init__(self, fault: Fault, period: int) -> None:
        self.requests = 0
        self.broken = 0
        self._fault = fault
        self._period = period

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        with suppress(asyncio.IncompleteReadError):
            while True:
                number, body = await read_request(reader)
                self.requests += 1
                if self.requests % self._period:
                    write_reply(writer, number, body)
                    continue
                self.broken += 1
                await self._break(writer, number, body)
                break

    async def _break(self, writer: asyncio.StreamWriter, number: str, body: bytes) -> None:
        match self._fault:
            case Fault.RESET:
                linger = struct.pack("ii", 1, 0)
                transport_socket = writer.get_extra_info("socket")
                transport_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.transport.abort()
            case Fault.CLOSE:
                pass
            case Fault.UNAVAILABLE:
                writer.write(b"HTTP/1.1 503 No\r\ncontent-length: 4\r\n\r\ngone")
            case Fault.SHORT_BODY:
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{")
            case Fault.SILENCE:
                await asyncio.Event().wait()
            case Fault.OTHER_BODY:
                write_reply(writer, number, body[:-1])
            case Fault.OTHER_ID:
                write_reply(writer, "another", body)
            case Fault.NO_LAB:
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")


async def read_request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Read one request of the load: its id and its body."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    request_line, *lines = head.strip().split("\r\n")
    headers = dict(line.split(": ") for line in lines)
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    path = request_line.split(" ")[1]
    return headers.get("x-lab-id", path.removeprefix("/id/")), body


def write_reply(writer: asyncio.StreamWriter, number: str, body: bytes) -> None:
    """Reply as the lab does."""
    digest = hashlib.sha256(body).hexdigest()
    reply = json.dumps({"id": number, "sha256": digest, "bytes": len(body)}).encode()
    head = f"HTTP/1.1 200 OK\r\nx-lab-version: 1\r\ncontent-length: {len(reply)}\r\n\r\n"
    writer.write(head.encode() + reply)


@asynccontextmanager
async def serving(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[Target]:
    """Serve every connection with the function until the end of the block."""

    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        finally:
            writer.close()

    async with asyncio.TaskGroup() as tasks:
        connections: list[asyncio.Task[None]] = []
        server = await asyncio.start_server(
            lambda *streams: connections.append(tasks.create_task(serve_one(*streams))),
            "127.0.0.1",
            0,
        )
        try:
            address, port = server.sockets[0].getsockname()
            yield Target(address, port, "faulty.test")
        finally:
            server.close()
            for connection in connections:
                connection.cancel()
