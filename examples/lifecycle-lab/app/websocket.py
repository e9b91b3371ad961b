"""The server's side of RFC 6455 by hand: the handshake, and a conversation that echoes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from http11 import Exchange

MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
NORMAL, GOING_AWAY, PROTOCOL_ERROR, TOO_BIG = 1000, 1001, 1002, 1009
MESSAGE_LIMIT_BYTES = 1 << 20
CLOSE_PATIENCE_S = 1.0


def accept(exchange: Exchange, headers: dict[str, str]) -> bool:
    """Shake hands if the request asks for a websocket; say whether it did."""
    key = exchange.headers.get("sec-websocket-key")
    if exchange.headers.get("upgrade", "").lower() != "websocket" or key is None:
        return False
    digest = hashlib.sha1((key + MAGIC).encode("latin-1"), usedforsecurity=False).digest()
    answer = {"Upgrade": "websocket", "Connection": "Upgrade"}
    answer["Sec-WebSocket-Accept"] = base64.b64encode(digest).decode()
    exchange.switch_protocols({**headers, **answer})
    return True


class Closed(Exception):
    """The conversation is over; `code` is what to tell the other side."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Conversation:
    """One open websocket."""

    def __init__(self, exchange: Exchange) -> None:
        self._reader = exchange.reader
        self._writer = exchange.writer
        self._is_closing = False

    async def run(self, beats: AsyncIterator[bytes], closing_code: Callable[[], int]) -> None:
        """Echo each message and send the beats; close once they are over or the client closes."""
        async with asyncio.TaskGroup() as tasks:
            sender = tasks.create_task(self._send_beats(beats, closing_code))
            try:
                while True:
                    opcode, message = await self._read_message()
                    self._send(opcode, message)
                    await self._writer.drain()
            except Closed as closed:
                self._close(closed.code)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass  # the client has gone
            finally:
                sender.cancel()

    async def _send_beats(
        self, beats: AsyncIterator[bytes], closing_code: Callable[[], int]
    ) -> None:
        async for beat in beats:
            self._send(TEXT, beat)
        self._close(closing_code())
        await asyncio.sleep(CLOSE_PATIENCE_S)
        self._writer.close()

    async def _read_message(self) -> tuple[int, bytes]:
        opcode, parts = CONTINUATION, b""
        while True:
            is_last, frame_opcode, payload = await self._read_frame()
            if frame_opcode == CLOSE:
                raise Closed(int.from_bytes(payload[:2]) if payload else NORMAL)
            if frame_opcode == PING:
                self._send(PONG, payload)
            elif frame_opcode in {TEXT, BINARY, CONTINUATION}:
                if (frame_opcode == CONTINUATION) != bool(opcode):
                    raise Closed(PROTOCOL_ERROR)
                opcode, parts = opcode or frame_opcode, parts + payload
                if len(parts) > MESSAGE_LIMIT_BYTES:
                    raise Closed(TOO_BIG)
                if is_last:
                    return opcode, parts
            elif frame_opcode != PONG:
                raise Closed(PROTOCOL_ERROR)

    async def _read_frame(self) -> tuple[bool, int, bytes]:
        first, second = await self._reader.readexactly(2)
        is_masked, size = second >> 7, second & 0x7F
        if not is_masked:
            raise Closed(PROTOCOL_ERROR)
        if size > 125:
            size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8))
        if size > MESSAGE_LIMIT_BYTES:
            raise Closed(TOO_BIG)
        mask = await self._reader.readexactly(4)
        payload = await self._reader.readexactly(size)
        return bool(first >> 7), first & 0x0F, unmask(mask, payload)

    def _send(self, opcode: int, payload: bytes) -> None:
        if self._is_closing:
            return  # nothing may follow a close frame
        size = len(payload)
        if size < 126:
            head = bytes((0x80 | opcode, size))
        elif size < 1 << 16:
            head = bytes((0x80 | opcode, 126)) + size.to_bytes(2)
        else:
            head = bytes((0x80 | opcode, 127)) + size.to_bytes(8)
        self._writer.write(head + payload)

    def _close(self, code: int) -> None:
        self._send(CLOSE, code.to_bytes(2))
        self._is_closing = True


def unmask(mask: bytes, payload: bytes) -> bytes:
    """Undo the mask that every client puts on its frames."""
    repeated = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload) ^ int.from_bytes(repeated)).to_bytes(len(payload))
