"""An agent whose every word is hostile: the real one's answers, with control codes in each text."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.files import Home

HOSTILE: Final = (
    "a\x1b]0;owned\x07b\x1b[2J\x1b[1;1Hc\x1bP+q\x1b\\d\x9b31me\x9d0;x\x9cf\x08\x08g\rh\ni\x00j"
    "\u202ek\u2066l\u200bm\x1b[31mn\x1b]52;c;b3duZWQ=\x07o\u2028p\x85q\x7fr\ufeffs\x1b[8mt"
)
"""A title, a cleared screen, hidden and reversed text, the clipboard, line breaks of all kinds."""

_IS_TYPED: Final = re.compile(
    r"id|.*Id|.*At|.*Until|timestamp|status|kind|promotionStage|health|accessMode|trigger|type"
    r"|state|stream|engine|strategy|version|home|socket|.*Address|unit|code|digest|updatedAt|next"
    r"|level|method|encryption|expires|lastDue|nextDue|environment|project|scope|schedule|timeZone|.*[uU]rls?"
)
"""Fields whose values the agent makes itself; all others may quote somebody."""


def _spoiled(found: Any, name: str = "") -> Any:
    if isinstance(found, dict):
        return {key: _spoiled(value, key) for key, value in found.items()}
    if isinstance(found, list):
        return [_spoiled(each, name) for each in found]
    if isinstance(found, str) and not _IS_TYPED.fullmatch(name):
        return found + HOSTILE
    return found


class Liar:
    """Passes each request on to the real agent, and back what it makes of the answer."""

    def __init__(self, real: Home) -> None:
        self._real = real
        self.spoiled = 0
        self.refuses = False
        """Whether it answers everything with an error."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        body = await reader.readexactly(int(length[1])) if length else b""
        status, lines = await self._asked(head, body)
        if self.refuses and b" /v1/agent " not in head:
            error = {"code": None, "message": "no", "hint": "try", "subject": None, "kind": "usage"}
            status, lines = 400, [json.dumps({"error": error}).encode()]
        told = b"".join(self._line(each) if b" /v1/agent " not in head else each for each in lines)
        first = f"HTTP/1.1 {status} OK\r\nconnection: close\r\ncontent-length: {len(told)}\r\n\r\n"
        writer.write(first.encode() + told)
        await writer.drain()
        writer.close()

    def _line(self, line: bytes) -> bytes:
        told = json.dumps(_spoiled(json.loads(line)))
        self.spoiled += told.count("owned")
        return told.encode() + b"\n"

    async def _asked(self, head: bytes, body: bytes) -> tuple[int, list[bytes]]:
        reader, writer = await asyncio.open_unix_connection(str(self._real.agent_socket))
        first, rest = head.split(b"\r\n", 1)
        # As HTTP/1.0, whose replies end with their connection.
        writer.write(first.replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n" + rest + body)
        answer = await reader.read()
        writer.close()
        told, _, content = answer.partition(b"\r\n\r\n")
        return int(told.split(b" ")[1]), content.splitlines()


@asynccontextmanager
async def liar(real: Home, home: Home) -> AsyncIterator[Liar]:
    """One at the socket of a home, for as long as the block lasts."""
    home.create()
    found = Liar(real)
    server = await asyncio.start_unix_server(found.serve, str(home.agent_socket))
    async with server:
        yield found
        server.close()
