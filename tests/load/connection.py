"""A raw HTTP/1.1 client: what it does is what goes over the wire, nothing is tried twice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tests.load.outcome import LossKind, RequestLost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.load.plan import Target


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a reply; header names are in lower case."""

    status: int
    headers: dict[str, str]

    @property
    def version(self) -> str:
        """The version of the lab that replied, or nothing if it was not the lab."""
        return self.headers.get("x-lab-version", "")


class Connection:
    """One TCP connection to the target.

    Every method that waits raises RequestLost when it gets something else than a whole reply. As a
    context manager it closes at the end of the block.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer
        self._wants_close = False

    @classmethod
    async def open(cls, target: Target) -> Connection:
        """Connect to the target."""
        try:
            return cls(*await asyncio.open_connection(target.address, target.port))
        except OSError as error:
            raise RequestLost(LossKind.CONNECT_ERROR, str(error)) from error

    @property
    def is_reusable(self) -> bool:
        """Whether the server has not said or shown that it is done with the connection."""
        return not (self._wants_close or self.reader.at_eof() or self._writer.is_closing())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, data: bytes) -> None:
        """Send without waiting: a reply may come before the whole request is out."""
        self._writer.write(data)

    def close(self) -> None:
        """Drop the connection, whatever is still to be sent."""
        self._writer.transport.abort()

    async def read_head(self) -> Head:
        """Read the head of the reply."""
        try:
            text = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status_line, *lines = text.removesuffix("\r\n\r\n").split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
            }
            status = int(status_line.split(" ")[1])
        except asyncio.IncompleteReadError as error:
            raise RequestLost(LossKind.RESET, f"closed, reply so far {error.partial!r}") from error
        except ConnectionError as error:
            raise RequestLost(LossKind.RESET, str(error)) from error
        except (asyncio.LimitOverrunError, ValueError, IndexError) as error:
            raise RequestLost(LossKind.WRONG_REPLY, f"no HTTP: {error}") from error
        self._wants_close = headers.get("connection", "").lower() == "close"
        return Head(status, headers)

    async def read_body(self, head: Head) -> bytes:
        """Read the whole body of the reply."""
        try:
            if "content-length" in head.headers:
                return await self.reader.readexactly(int(head.headers["content-length"]))
        except asyncio.IncompleteReadError as error:
            detail = f"{len(error.partial)} bytes instead of {error.expected}"
            raise RequestLost(LossKind.SHORT_BODY, detail) from error
        except ConnectionError as error:
            raise RequestLost(LossKind.RESET, f"in the body: {error}") from error
        return b"".join([chunk async for chunk in self.read_chunks(head)])

    async def read_chunks(self, head: Head) -> AsyncIterator[bytes]:
        """Read a chunked body piece by piece, up to its proper end."""
        if head.headers.get("transfer-encoding") != "chunked":
            raise RequestLost(LossKind.WRONG_REPLY, "neither a length nor chunks")
        try:
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                yield (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readuntil(b"\r\n")
        except asyncio.IncompleteReadError as error:
            raise RequestLost(LossKind.SHORT_BODY, "closed before the last chunk") from error
        except ConnectionError as error:
            raise RequestLost(LossKind.RESET, f"in the body: {error}") from error


def request_head(method: str, path: str, target: Target, **headers: str | int) -> bytes:
    """Write the head of a request; underscores in header names become dashes."""
    lines = [f"{method} {path} HTTP/1.1", f"host: {target.host}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()
