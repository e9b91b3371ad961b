"""Clients of server-sent events and of websockets: each follows one stream from request to end."""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections import deque
from typing import TYPE_CHECKING

from tests.load.connection import request_head
from tests.load.outcome import LossKind, RequestLost, StreamEnd

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.load.connection import Connection, Head
    from tests.load.plan import Target

    Follow = Callable[[Connection, Head], Awaitable[tuple[StreamEnd, str]]]

TEXT, CLOSE = 0x1, 0x8
NORMAL, GOING_AWAY = 1000, 1001
ECHO_S = 1.5
"""So long the first echo may take on a busy machine."""


def events_request(target: Target, lasting_ms: int) -> bytes:
    """Ask the lab for server-sent events."""
    path = f"/stream?ms={lasting_ms}&every=100"
    return request_head("GET", path, target, accept="text/event-stream")


def websocket_request(target: Target, lasting_ms: int) -> bytes:
    """Ask the lab for a websocket."""
    return request_head(
        "GET",
        f"/ws?ms={lasting_ms}&every=100",
        target,
        connection="Upgrade",
        upgrade="websocket",
        sec_websocket_version=13,
        sec_websocket_key=base64.b64encode(os.urandom(16)).decode(),
    )


async def open_stream(connection: Connection, request: bytes) -> Head:
    """Send the request and wait until the stream is open.

    Raises:
        RequestLost: It was refused, or nothing came.
    """
    connection.write(request)
    head = await connection.read_head()
    if head.status not in {101, 200}:
        body = await connection.read_body(head)
        raise RequestLost(LossKind.STATUS, repr(body[:100]), head.status)
    if not head.version:
        raise RequestLost(LossKind.WRONG_REPLY, "not a reply of the lab")
    return head


async def follow_events(connection: Connection, head: Head) -> tuple[StreamEnd, str]:
    """Read events until the last one, which says why it is the last."""
    last, rest = b"", b""
    try:
        # A busy gateway may put several events into one chunk.
        async for chunk in connection.read_chunks(head):
            *events, rest = (rest + chunk).split(b"\n\n")
            last = events[-1] if events else last
    except RequestLost as lost:
        return StreamEnd.CUT, str(lost)
    if last.startswith(b"event: over"):
        return StreamEnd.COMPLETED, ""
    if last.startswith(b"event: stopping"):
        return StreamEnd.CLOSED, ""
    return StreamEnd.CUT, f"last event {last!r}"


async def follow_websocket(connection: Connection, _: Head) -> tuple[StreamEnd, str]:
    """Answer each tick with a message that must be echoed, until the server closes.

    Echoes come in the order of the messages. What was sent last may have crossed the close on its
    way, however long that took.
    """
    awaited: deque[bytes] = deque()
    began, echoed = time.monotonic(), 0
    try:
        while True:
            opcode, payload = await read_frame(connection.reader)
            if opcode == CLOSE:
                break
            if payload in awaited:
                if awaited.popleft() != payload:
                    return StreamEnd.CUT, "an echo is missing"
                echoed += 1
                continue
            message = b"echo of " + payload
            awaited.append(message)
            connection.write(masked_frame(TEXT, message))
    except (ConnectionError, asyncio.IncompleteReadError) as error:
        return StreamEnd.CUT, repr(error)
    connection.write(masked_frame(CLOSE, payload[:2]))
    if awaited and not echoed and time.monotonic() - began > ECHO_S:
        return StreamEnd.CUT, f"none of {len(awaited)} echoes has come"
    code = int.from_bytes(payload[:2])
    ends = {NORMAL: StreamEnd.COMPLETED, GOING_AWAY: StreamEnd.CLOSED}
    return ends.get(code, StreamEnd.CUT), f"code {code}"


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Read one unmasked frame: its opcode and its payload."""
    first, size = await reader.readexactly(2)
    if size > 125:
        size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8))
    return first & 0x0F, await reader.readexactly(size)


def masked_frame(opcode: int, payload: bytes) -> bytes:
    """Write one frame of up to 65,535 bytes; its mask of zeros leaves the payload as it is."""
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else bytes((0x80 | 126,)) + size.to_bytes(2)
    return bytes((0x80 | opcode,)) + length + bytes(4) + payload
