"""Servers that say what they were asked."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from core.gateway.table import Upstream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def echo(name: str) -> AsyncIterator[tuple[str, int]]:
    """Says so in a header, so that HEAD works too; yields its address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *fields = head.decode("latin-1").rstrip().split("\r\n")
                method, target, _ = first.split(" ")
                told = json.dumps(
                    {"to": name, "method": method, "target": target, "fields": fields}
                )
                reply = f"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-echo: {told}\r\n\r\n"
                writer.write(reply.encode("latin-1"))
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        address, port = server.sockets[0].getsockname()
        yield address, port
        # Python 3.12 and later wait for open connections, which the gateway keeps for a second.
        server.close()


@asynccontextmanager
async def mirror() -> AsyncIterator[Upstream]:
    """Answers with the head of the request."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                reply = f"HTTP/1.1 200 OK\r\ncontent-length: {len(head)}\r\n\r\n"
                writer.write(reply.encode() + head)
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield Upstream("mirror", (server.sockets[0].getsockname(),))
        server.close()
