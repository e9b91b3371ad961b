"""HTTP/2 by hand (RFC 9113), because a library would not send what is not allowed.

Fields are literals without Huffman coding (RFC 7541, 6.2.2); of replies only their end is read.
"""

from __future__ import annotations

import asyncio
import struct
from contextlib import suppress
from typing import Final

from tests.proof.security.stronghold import OPEN

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY, CONTINUATION = 0, 1, 3, 4, 6, 7, 9
END_STREAM, END_HEADERS = 1, 4
_ACK: Final = 1
_PATIENCE_S: Final = 5.0
"""How long a reply is waited for that may never come."""

Fields = list[tuple[str, str]]


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _number(value: int, bits: int) -> bytes:
    limit = (1 << bits) - 1
    if value < limit:
        return bytes([value])
    found, value = [limit], value - limit
    while value >= 128:
        found.append(value % 128 + 128)
        value //= 128
    return bytes([*found, value])


def block(given: Fields) -> bytes:
    """Fields as a header block."""
    return b"".join(b"\0" + _text(name) + _text(value) for name, value in given)


def _text(text: str) -> bytes:
    content = text.encode("latin-1")
    return _number(len(content), 7) + content


def fields(path: str, host: str, *more: tuple[str, str], method: str = "GET") -> Fields:
    """Those of a request."""
    named = [(":method", method), (":scheme", "http"), (":authority", host), (":path", path)]
    return [*named, *more]


async def ask(port: int, given: Fields, body: bytes = b"") -> None:
    """One request on a connection of its own; returns at its end, however it ended."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        flags = END_HEADERS if body else END_HEADERS | END_STREAM
        writer.write(PREFACE + frame(SETTINGS, 0, 0) + frame(HEADERS, flags, 1, block(given)))
        if body:
            writer.write(frame(DATA, END_STREAM, 1, body))
        with suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                await _end_of_reply(reader, writer)
    finally:
        writer.close()


async def _end_of_reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        kind, flags, stream, _ = await read_frame(reader)
        if kind == SETTINGS and not flags & _ACK:
            writer.write(frame(SETTINGS, _ACK, 0))
        is_over = kind in (DATA, HEADERS) and flags & END_STREAM
        if kind == GOAWAY or (stream == 1 and (kind == RESET or is_over)):
            return


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, int, int, bytes]:
    """The next frame: kind, flags, stream, payload."""
    head = await reader.readexactly(9)
    kind, flags, stream = struct.unpack(">BBI", head[3:])
    payload = await reader.readexactly(int.from_bytes(head[:3], "big"))
    return kind, flags, stream & 0x7FFF_FFFF, payload


def attacks(hidden: str) -> list[Fields]:
    """Requests whose fields would be other requests, or none, in HTTP/1."""
    split = f"x\r\nHost: {OPEN}\r\n\r\nGET {hidden} HTTP/1.1\r\nHost: {OPEN}\r\n\r\n"
    line = f"/x HTTP/1.1\r\nHost: {OPEN}\r\n\r\nGET {hidden} HTTP/1.1\r\nX:"
    extra: list[tuple[str, str]] = [
        ("x", split),
        ("x", f"a\n\nGET {hidden}"),
        ("x", f"a\r\rGET {hidden}"),
        ("x", "a\0b"),
        (split, "x"),
        (f"x: y\r\nGET {hidden} HTTP/1.1\r\nx", "z"),
        ("x:y", "z"),
        ("x y", "z"),
        ("X", "upper"),
        ("", "empty"),
        ("x\0", "z"),
        ("transfer-encoding", "chunked"),
        ("transfer-encoding", "chunked\r\nx: y"),
        ("Transfer-Encoding", "chunked"),
        ("connection", "keep-alive, x-forwarded-for"),
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("proxy-connection", "keep-alive"),
        ("keep-alive", "1"),
        ("te", "chunked"),
        ("host", "shut.localhost"),
        ("host", "inner.localhost"),
        ("content-length", "0, 9"),
        ("content-length", "-1"),
        ("content-length", "99999"),
        ("content-length", "1\r\nTransfer-Encoding: chunked"),
        (":path", "/api/secret"),
        (":authority", "shut.localhost"),
        (":method", "PUT"),
        (":protocol", "websocket"),
        (":unknown", "x"),
        ("x-compartment-entrance", "inside"),
        ("x-compartment-user", "root"),
        ("cookie", f"a=b\r\n\r\nGET {hidden} HTTP/1.1"),
    ]
    pseudo: list[Fields] = [
        fields(line, OPEN),
        fields("/x y", OPEN),
        fields("x", OPEN),
        fields("", OPEN),
        fields("*", OPEN),
        fields("http://shut.localhost/", OPEN),
        fields("//shut.localhost/", OPEN),
        fields("/a/../api/secret", OPEN),
        fields("/api%2fsecret", OPEN),
        fields("/api/secret", OPEN),
        fields("/x#/../api/secret", OPEN),
        fields("/x", "shut.localhost"),
        fields("/x", "SHUT.localhost"),
        fields("/x", "inner.localhost"),
        fields("/x", "x@inner.localhost"),
        fields("/x", "inner.localhost."),
        fields("/x", "inner.localhost:80"),
        fields("/x", f"{OPEN}\r\nX: y"),
        fields("/x", f"{OPEN}/api/secret?"),
        fields("/x", ""),
        fields("/x", OPEN, method="GET / HTTP/1.1\r\nX: y\r\n\r\nGET"),
        fields("/x", OPEN, method="get"),
        fields("/x", OPEN, method=""),
        fields("shut.localhost:80", "shut.localhost:80", method="CONNECT"),
        [("x", "before"), *fields("/x", OPEN)],
        [(":method", "GET"), (":scheme", "http"), ("host", "shut.localhost"), (":path", "/x")],
        [(":method", "GET"), (":scheme", "http"), ("host", "inner.localhost"), (":path", "/x")],
        [(":method", "CONNECT"), (":authority", "shut.localhost:80")],
        [
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"),
            (":authority", OPEN), (":path", "/api/secret"),
        ],
        [
            (":method", "GET"), (":scheme", "http\r\nx: y"), (":authority", OPEN), (":path", "/x"),
        ],
    ]  # fmt: skip
    return [*(fields("/x", OPEN, each) for each in extra), *pseudo]
