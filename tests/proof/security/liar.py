"""An agent whose every word is hostile: the real one's answers, with control codes in each text."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import aclosing, asynccontextmanager, closing, suppress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Collection

    from core.files import Home

HOSTILE: Final = (
    "a\x1b]0;owned\x07b\x1b[2J\x1b[1;1Hc\x1bP+q\x1b\\d\x9b31me\x9d0;x\x9cf\x08\x08g\rh\ni\x00j"
    "\u202ek\u2066l\u200bm\x1b[31mn\x1b]52;c;b3duZWQ=\x07o\u2028p\x85q\x7fr\ufeffs\x1b[8mt"
)
"""A title, a cleared screen, hidden and reversed text, the clipboard, line breaks of all kinds."""

_IS_TYPED: Final = re.compile(
    r"id|at|now|.*Id|.*At|.*Until|timestamp|status|kind|promotionStage|health|accessMode|trigger|type"
    r"|state|stream|engine|strategy|version|home|socket|.*Address|unit|code|digest|updatedAt|next"
    r"|level|method|encryption|expires|lastDue|nextDue|environment|project|scope|schedule|timeZone|.*[uU]rls?"
)
"""Fields whose values the agent makes itself; all others may quote somebody."""
_LONGEST_LINE: Final = 16 * 2**20


def _spoiled(found: Any, kept: Collection[str], name: str = "") -> Any:
    if isinstance(found, dict):
        return {key: _spoiled(value, kept, key) for key, value in found.items()}
    if isinstance(found, list):
        return [_spoiled(each, kept, name) for each in found]
    if isinstance(found, str) and name not in kept and not _IS_TYPED.fullmatch(name):
        return found + HOSTILE
    return found


class Liar:
    """Passes each request on to the real agent, and back what it makes of the answer."""

    def __init__(self, real: Home, kept: Collection[str]) -> None:
        self._real = real
        self._kept = kept
        self.spoiled = 0
        self.refuses = False
        """Whether it answers everything with an error."""
        self._answering: set[asyncio.Task[None]] = set()

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request; what has no end is passed on line by line."""
        task = asyncio.get_running_loop().create_task(self._answer(reader, writer))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def end(self) -> None:
        """Ends what has no end."""
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        body = await reader.readexactly(int(length[1])) if length else b""
        is_about_itself = b" /v1/agent " in head
        with suppress(ConnectionError), closing(writer):
            async with aclosing(self._asked(head, body)) as answer:
                status = await anext(answer)
                if self.refuses and not is_about_itself:
                    error = {"code": None, "message": "no", "hint": "try", "subject": None}
                    refusal = json.dumps({"error": {**error, "kind": "usage"}}).encode()
                    writer.write(_first(b"400") + self._line(refusal))
                else:
                    writer.write(_first(status))
                    async for line in answer:
                        writer.write(line if is_about_itself else self._line(line))
                        await writer.drain()

    def _line(self, line: bytes) -> bytes:
        told = json.dumps(_spoiled(json.loads(line), self._kept))
        self.spoiled += told.count("owned")
        return told.encode() + b"\n"

    async def _asked(self, head: bytes, body: bytes) -> AsyncGenerator[bytes, None]:
        """The status of the real agent's answer, then its lines as they come."""
        reader, writer = await asyncio.open_unix_connection(
            str(self._real.agent_socket), limit=_LONGEST_LINE
        )
        first, rest = head.split(b"\r\n", 1)
        # As HTTP/1.0, whose replies end with their connection.
        writer.write(first.replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n" + rest + body)
        try:
            told = await reader.readuntil(b"\r\n\r\n")
            yield told.split(b" ")[1]
            async for line in reader:
                yield line
        finally:
            writer.close()


def _first(status: bytes) -> bytes:
    """The head of an answer that ends with its connection."""
    return b"HTTP/1.1 " + status + b" OK\r\nconnection: close\r\n\r\n"


@asynccontextmanager
async def liar(real: Home, home: Home, kept: Collection[str] = ()) -> AsyncIterator[Liar]:
    """One at the socket of a home, for as long as the block lasts; it leaves the fields `kept`."""
    home.create()
    found = Liar(real, kept)
    server = await asyncio.start_unix_server(found.serve, str(home.agent_socket))
    async with server:
        yield found
        server.close()
        await found.end()
