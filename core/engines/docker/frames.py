"""The output of a container as the engine sends it: frames of stdout and stderr, in one stream.

Spoken in HTTP/1.0, where the body is the frames themselves: cutting the thousands of small chunks
of HTTP/1.1 would cost more than all the rest.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from core.engines.docker.connection import message_of
from core.errors import CompartmentError, EngineUnavailable, NotFound
from core.model import Stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

_CHUNK_BYTES: Final = 256 * 1024
_PAUSE_S: Final = 0.02
"""Between two looks, so that a service that prints a lot is read in large pieces."""

_HEADER: Final = struct.Struct(">BxxxL")
_STREAMS: Final = {1: Stream.STDOUT, 2: Stream.STDERR}
_OK, _NOT_FOUND = 200, 404

Frame = tuple[Stream, bytes]


async def read_frames(
    path: str, request: str, *, is_tty: bool = False, **parameters: str
) -> AsyncIterator[list[Frame]]:
    """What a GET request to the engine's socket answers, in lists of what came together.

    A terminal has one stream and no frames: then each line is taken for one.

    A stream that is cut looks like one that has ended: the engine does not tell them apart.

    Raises:
        NotFound: the engine knows no such container.
        EngineUnavailable: it cannot be reached.
    """
    query = f"GET {request}?{urlencode(parameters)} HTTP/1.0\r\nHost: engine\r\n\r\n"
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.setblocking(False)  # noqa: FBT003 - the socket's own interface
        try:
            await loop.sock_connect(connection, path)
            await loop.sock_sendall(connection, query.encode())
            rest = bytearray(await _body(connection))
            while True:
                frames = list(cut_lines(rest) if is_tty else cut(rest))
                if frames:
                    yield frames
                    await asyncio.sleep(_PAUSE_S)
                chunk = await loop.sock_recv(connection, _CHUNK_BYTES)
                if not chunk:
                    break
                rest += chunk
            if is_tty and rest:
                yield [(Stream.STDOUT, bytes(rest))]
        except OSError as error:
            raise EngineUnavailable(
                f"the Docker Engine does not answer: {error.strerror or error}",
                hint="start it, or see `compartment doctor`",
            ) from error


async def _body(connection: socket.socket) -> bytes:
    """What has come of the body with the head of a reply that is good."""
    loop = asyncio.get_running_loop()
    reply = b""
    while b"\r\n\r\n" not in reply:
        chunk = await loop.sock_recv(connection, _CHUNK_BYTES)
        if not chunk:
            raise ConnectionResetError("it closed the connection")
        reply += chunk
    head, _, body = reply.partition(b"\r\n\r\n")
    status = int(head.split(None, 2)[1])
    if status == _OK:
        return body
    while chunk := await loop.sock_recv(connection, _CHUNK_BYTES):
        body += chunk
    text = message_of(body)
    if status == _NOT_FOUND:
        raise NotFound(text)
    raise CompartmentError(f"the Docker Engine refused: {text}")


def cut(rest: bytearray) -> Iterator[Frame]:
    """The whole frames, which are removed."""
    at, end = 0, len(rest)
    while end - at >= _HEADER.size:
        number, length = _HEADER.unpack_from(rest, at)
        start = at + _HEADER.size
        if end - start < length:
            break
        at = start + length
        if number in _STREAMS:
            yield _STREAMS[number], bytes(rest[start:at])
    del rest[:at]


def cut_lines(rest: bytearray) -> Iterator[Frame]:
    """The whole lines, which are removed; a terminal ends them with a carriage return as well."""
    *lines, last = rest.split(b"\n")
    for line in lines:
        yield Stream.STDOUT, bytes(line.removesuffix(b"\r")) + b"\n"
    rest[:] = last
