"""HTTP/1.1 by hand: one connection, its requests, and the replies to them."""

from __future__ import annotations

import asyncio
import time
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

PIECE_BYTES = 65_536


class BadRequest(Exception):
    """What the client sent is not a request that this server takes."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class Exchange:
    """One request and its reply.

    `target` is what stood in the request line, `path` its part before the query, not decoded.
    Header names are in lower case. `body` yields the request's body once; a reply first reads what
    is left of it. `received` is in seconds since the epoch.
    """

    def __init__(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.received = time.time()
        self.reader = reader
        self.writer = writer
        request_line, *header_lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        try:
            self.method, self.target, protocol = request_line.split(" ")
            self.header_list = [parse_header(line) for line in header_lines]
        except ValueError:
            raise BadRequest("malformed request") from None
        if protocol not in {"HTTP/1.1", "HTTP/1.0"}:
            raise BadRequest(f"unknown protocol {protocol!r}", 505)
        self.headers = dict(self.header_list)
        self.path, _, query = self.target.partition("?")
        self.query = {name: values[-1] for name, values in parse_qs(query).items()}
        self.is_chunked, self.length = framing(self.headers)
        self.body = self._read_body()
        self._can_chunk = protocol == "HTTP/1.1"
        wants_close = "close" in self.headers.get("connection", "").lower()
        self.keep_alive = self._can_chunk and not wants_close

    async def _read_body(self) -> AsyncIterator[bytes]:
        if self.headers.get("expect", "").lower() == "100-continue":
            self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not self.is_chunked:
            async for piece in self._read_pieces(self.length):
                yield piece
            return
        while size := await self._read_chunk_size():
            async for piece in self._read_pieces(size):
                yield piece
            if await self.reader.readexactly(2) != b"\r\n":
                raise BadRequest("malformed chunk")
        while await self.reader.readuntil(b"\r\n") != b"\r\n":  # trailers
            pass

    async def _read_pieces(self, size: int) -> AsyncIterator[bytes]:
        while size:
            piece = await self.reader.read(min(size, PIECE_BYTES))
            if not piece:
                raise ConnectionResetError("the client left in the middle of its body")
            size -= len(piece)
            yield piece

    async def _read_chunk_size(self) -> int:
        line = await self.reader.readuntil(b"\r\n")
        try:
            return int(line.split(b";")[0], 16)
        except ValueError:
            raise BadRequest("malformed chunk size") from None

    async def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Send the whole reply, after the rest of the request's body has been read."""
        async for _ in self.body:
            pass
        self._write_head(status, {**headers, "Content-Length": str(len(body))}, body)
        await self.writer.drain()

    async def start_stream(self, headers: dict[str, str]) -> None:
        """Send the head of a reply whose length nobody knows yet; `send` and `finish` follow."""
        async for _ in self.body:
            pass
        if self._can_chunk:
            headers = {**headers, "Transfer-Encoding": "chunked"}
        self._write_head(200, headers)
        await self.writer.drain()

    async def send(self, data: bytes) -> None:
        """Send a part of the stream.

        Raises:
            ConnectionError: The client has gone.
        """
        if self.method != "HEAD":
            self.writer.write(b"%x\r\n%b\r\n" % (len(data), data) if self._can_chunk else data)
        await self.writer.drain()

    async def finish(self) -> None:
        """End the stream, so that the client can tell the end from a cut."""
        if self._can_chunk and self.method != "HEAD":
            self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    def switch_protocols(self, headers: dict[str, str]) -> None:
        """Hand the connection over to another protocol."""
        self.keep_alive = False
        self._write_head(101, headers)

    def _write_head(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        lines = [f"HTTP/1.1 {status} {reason(status)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if not self.keep_alive and status != HTTPStatus.SWITCHING_PROTOCOLS:
            lines.append("Connection: close")
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        self.writer.write(head if self.method == "HEAD" else head + body)


class Connection:
    """Serves the requests of one client, one after the other, until either side wants to stop."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._exchange: Exchange | None = None
        self._is_idle = True
        self._is_stopping = False

    def stop(self) -> None:
        """End when nothing is under way: now, or after the present reply."""
        self._is_stopping = True
        if self._is_idle:
            self._writer.close()
        elif self._exchange is not None:
            self._exchange.keep_alive = False

    async def serve(self, handle: Callable[[Exchange], Awaitable[None]]) -> None:
        try:
            while not self._is_stopping:
                self._is_idle = True
                first = await self._reader.readexactly(1)
                self._is_idle = False
                head = first + await self._reader.readuntil(b"\r\n\r\n")
                self._exchange = Exchange(head, self._reader, self._writer)
                if self._is_stopping:
                    self._exchange.keep_alive = False
                await handle(self._exchange)
                if not self._exchange.keep_alive:
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has gone
        except asyncio.LimitOverrunError:
            self._refuse(431, "too many headers")
        except BadRequest as problem:
            self._refuse(problem.status, str(problem))
        finally:
            self._writer.close()

    def _refuse(self, status: int, message: str) -> None:
        head = f"HTTP/1.1 {status} {reason(status)}\r\nConnection: close\r\n"
        self._writer.write(f"{head}Content-Length: {len(message)}\r\n\r\n{message}".encode())


def parse_header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name or name != name.strip():
        raise ValueError(line)
    return name.lower(), value.strip()


def framing(headers: dict[str, str]) -> tuple[bool, int]:
    """Say how the request's body is delimited: whether in chunks, else its length in bytes."""
    coding = headers.get("transfer-encoding")
    length = headers.get("content-length", "0")
    if coding is not None and "content-length" in headers:
        raise BadRequest("both a length and a transfer coding")
    if coding is not None and coding.lower() != "chunked":
        raise BadRequest(f"unknown transfer coding {coding!r}", 501)
    if not (length.isascii() and length.isdecimal()):
        raise BadRequest("malformed length")
    return coding is not None, int(length)


def reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
