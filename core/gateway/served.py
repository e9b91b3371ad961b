"""Which table the listeners serve, asked where traffic is: on connections that are kept.

Our own few lines of HTTP, where a switch is waited for: a client library takes as long for one
question as Envoy does for the table of a small project.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from core.gateway.routes import VERSION_HOST

Address = tuple[str, int] | Path
"""Host and port, or the path of a socket."""

_TIMEOUT_S: Final = 2.0
_QUESTION: Final = f"GET / HTTP/1.1\r\nhost: {VERSION_HOST}\r\n\r\n".encode()
_LENGTH: Final = re.compile(rb"^content-length: *(\d+)\r$", re.MULTILINE | re.IGNORECASE)
_MOST: Final = 4096
"""Bytes of an answer: whoever says more is not our gateway."""

_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class ServedVersions:
    """Asks the listeners of one Envoy. Callers do not ask the same one twice at a time."""

    def __init__(self) -> None:
        self._connections: dict[Address, _Connection] = {}

    def forget_connections(self) -> None:
        """Ends them: one to an earlier Envoy would tell what that one serves."""
        for _, writer in self._connections.values():
            writer.transport.abort()
        self._connections.clear()

    async def at(self, address: Address) -> str | None:
        """The version of the table that is served there; None where nobody says."""
        with suppress(OSError, EOFError, asyncio.LimitOverrunError, ValueError):
            async with asyncio.timeout(_TIMEOUT_S):
                return await self._ask(address)
        return None

    async def _ask(self, address: Address) -> str:
        # Until it has answered it is not kept: what is still on its way would answer the next one.
        reader, writer = self._kept(address) or await _connect(address)
        is_done = False
        try:
            writer.write(_QUESTION)
            found = _LENGTH.search(await reader.readuntil(b"\r\n\r\n"))
            length = int(found[1]) if found else -1
            if not 0 <= length <= _MOST:
                raise ValueError("no answer of the gateway")
            version = (await reader.readexactly(length)).decode()
            is_done = True
        finally:
            if not is_done:
                writer.transport.abort()
        self._connections[address] = reader, writer
        return version

    def _kept(self, address: Address) -> _Connection | None:
        """The connection to there, unless the other side has closed it."""
        if address not in self._connections:
            return None
        reader, writer = self._connections.pop(address)
        if reader.at_eof():
            writer.transport.abort()
            return None
        return reader, writer


async def _connect(address: Address) -> _Connection:
    if isinstance(address, Path):
        return await asyncio.open_unix_connection(address, limit=_MOST)
    return await asyncio.open_connection(*address, limit=_MOST)
