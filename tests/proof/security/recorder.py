"""An instance that keeps what it was sent, and reads it as strictly as RFC 9112 allows."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_REQUEST_LINE = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+ [!-~]+ HTTP/1\.1")
_FIELD = re.compile(rb"([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]?([\t -~\x80-\xff]*)")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it was sent; names of fields in lower case."""

    method: str
    target: str
    fields: tuple[tuple[str, str], ...]
    body: bytes = b""

    def values(self, name: str) -> list[str]:
        """Each value of a field."""
        return [value for key, value in self.fields if key == name]


@dataclass
class Recorder:
    """What one instance was sent."""

    name: str
    address: tuple[str, int]
    requests: list[Request] = field(default_factory=list)
    malformed: list[bytes] = field(default_factory=list)
    """What is no request that every server reads alike."""
    reply: bytes = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    pause_s: float = 0.0
    """How long it thinks about each reply."""

    @property
    def unseen(self) -> list[Request]:
        """Those that the gateway did not see: it gives an id to each that it passes on."""
        return [each for each in self.requests if not each.values("x-request-id")]

    @property
    def targets(self) -> list[str]:
        """What was asked for."""
        return [each.target for each in self.requests]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers what comes on one connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                request = _read_head(head)
                if request is None:
                    self.malformed.append(head)
                    return
                body = await _read_body(request, reader)
                if body is None:
                    self.malformed.append(head)
                    return
                self.requests.append(Request(request.method, request.target, request.fields, body))
                await asyncio.sleep(self.pause_s)
                writer.write(self.reply)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            # A request whose client has left in the middle is left by the gateway, too.
            pass
        finally:
            writer.close()


def _read_head(head: bytes) -> Request | None:
    first, *lines = head[:-4].split(b"\r\n")
    found = [_FIELD.fullmatch(line) for line in lines]
    if not _REQUEST_LINE.fullmatch(first) or not all(found):
        return None
    method, target, _ = first.decode().split(" ")
    fields = tuple(
        (each[1].decode().lower(), each[2].decode("latin-1").strip()) for each in found if each
    )
    request = Request(method, target, fields)
    return request if _is_framed_once(request) else None


def _is_framed_once(request: Request) -> bool:
    lengths, encodings = request.values("content-length"), request.values("transfer-encoding")
    if len(lengths) + len(encodings) > 1 or len(request.values("host")) != 1:
        return False
    return all(each.isdecimal() for each in lengths) and encodings in ([], ["chunked"])


async def _read_body(request: Request, reader: asyncio.StreamReader) -> bytes | None:
    if lengths := request.values("content-length"):
        return await reader.readexactly(int(lengths[0]))
    if not request.values("transfer-encoding"):
        return b""
    body = b""
    while chunk := _CHUNK.fullmatch(await reader.readuntil(b"\r\n")):
        part = await reader.readexactly(int(chunk[1], 16) + 2)
        if not part.endswith(b"\r\n"):
            return None
        if part == b"\r\n":
            return body
        body += part[:-2]
    return None


@asynccontextmanager
async def recorder(name: str) -> AsyncIterator[Recorder]:
    """An instance for as long as the block lasts."""
    found = Recorder(name, ("", 0))
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    async with server:
        found.address = server.sockets[0].getsockname()
        yield found
        server.close()
