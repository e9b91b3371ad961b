"""A server that says what it was asked, in a header so that HEAD works too."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def echo(name: str) -> AsyncIterator[tuple[str, int]]:
    """Runs one until the end of the block; yields its address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                method, target, _ = head.split(b"\r\n")[0].decode("latin-1").split(" ")
                told = json.dumps({"to": name, "method": method, "target": target})
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
