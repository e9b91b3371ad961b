"""What the lab answers, path by path."""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import websocket
from http11 import BadRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from access_log import AccessLog
    from http11 import Exchange
    from readiness import Readiness

ID_HEADER = "x-lab-id"
ENDLESS_MS = 1 << 40


class Endpoints:
    """Answers exchanges, and counts what is open: requests and streams apart, `/up` not at all.

    Every reply names the instance in its body and its version in a header. A request that carries
    an id (as `/id/<n>`, or in the header `X-Lab-Id`) stands in the access log before its reply.
    """

    def __init__(self, identity: dict[str, object], log: AccessLog, readiness: Readiness) -> None:
        self.is_stopping = asyncio.Event()
        self._identity = identity
        self._headers = {"X-Lab-Version": str(identity["version"])}
        self._log = log
        self._readiness = readiness
        self._open = {"requests": 0, "streams": 0}
        self._last_response: float | None = None

    def figures(self) -> dict[str, object]:
        """Say what is open, and when the last request was done, in seconds since the epoch."""
        return {
            "open_requests": self._open["requests"],
            "open_streams": self._open["streams"],
            "last_response": self._last_response,
        }

    async def handle(self, exchange: Exchange) -> None:
        if exchange.path == "/up":
            await self._answer_probe(exchange)
        elif exchange.path in {"/stream", "/ws"}:
            with self._counted("streams"):
                await self._serve_stream(exchange)
        else:
            with self._counted("requests"):
                await self._serve_request(exchange)
                self._last_response = time.time()

    @contextmanager
    def _counted(self, what: str) -> Iterator[None]:
        self._open[what] += 1
        try:
            yield
        finally:
            self._open[what] -= 1

    async def _answer_probe(self, exchange: Exchange) -> None:
        status, why = self._readiness.ask()
        headers = {"Location": "/elsewhere"} if 300 <= status < 400 else {}
        await self._reply(exchange, {"readiness": why}, status, headers)

    async def _serve_request(self, exchange: Exchange) -> None:
        seen = {"method": exchange.method, "path": exchange.target}
        if exchange.path == "/slow":
            await asyncio.sleep(milliseconds(exchange, "ms", 1000) / 1000)
        elif exchange.path == "/headers":
            seen["headers"] = exchange.header_list
        elif exchange.path == "/upload":
            digest, size = hashlib.sha256(), 0
            async for piece in exchange.body:
                digest.update(piece)
                size += len(piece)
            seen |= {"sha256": digest.hexdigest(), "bytes": size}
        async for _ in exchange.body:
            pass  # the access log shall say when the whole request was there
        if number := request_id(exchange):
            seen["id"] = number
            self._log.write("request", **seen, start=exchange.received, end=time.time())
        await self._reply(exchange, seen)

    async def _reply(
        self,
        exchange: Exchange,
        details: dict[str, object],
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> None:
        body = json.dumps({**self._identity, **details}).encode() + b"\n"
        head = {"Content-Type": "application/json", **self._headers, **(headers or {})}
        await exchange.reply(status, head, body)

    async def _serve_stream(self, exchange: Exchange) -> None:
        if exchange.path == "/stream":
            await self._send_events(exchange)
        elif websocket.accept(exchange, self._headers):
            conversation = websocket.Conversation(exchange)
            await conversation.run(self._beats(exchange), self._closing_code)
        else:
            await self._reply(exchange, {"problem": "expected a websocket handshake"}, 426)

    async def _send_events(self, exchange: Exchange) -> None:
        await exchange.start_stream({"Content-Type": "text/event-stream", **self._headers})
        async for beat in self._beats(exchange):
            await exchange.send(b"data: %b\n\n" % beat)
        event = b"stopping" if self.is_stopping.is_set() else b"over"
        await exchange.send(b"event: %b\ndata: {}\n\n" % event)
        await exchange.finish()

    def _closing_code(self) -> int:
        return websocket.GOING_AWAY if self.is_stopping.is_set() else websocket.NORMAL

    async def _beats(self, exchange: Exchange) -> AsyncIterator[bytes]:
        """Yield a numbered message every `?every=` ms, for `?ms=` or until the instance stops."""
        every_s = milliseconds(exchange, "every", 200) / 1000
        end = time.monotonic() + milliseconds(exchange, "ms", ENDLESS_MS) / 1000
        number = 0
        while not self.is_stopping.is_set() and (left_s := end - time.monotonic()) > 0:
            yield json.dumps({**self._identity, "number": number}).encode()
            number += 1
            with suppress(TimeoutError):
                async with asyncio.timeout(min(every_s, left_s)):
                    await self.is_stopping.wait()


def request_id(exchange: Exchange) -> str | None:
    if exchange.path.startswith("/id/"):
        return exchange.path.removeprefix("/id/")
    return exchange.headers.get(ID_HEADER)


def milliseconds(exchange: Exchange, name: str, default: int) -> int:
    """Read a time from the query string.

    Raises:
        BadRequest: It is not a whole number.
    """
    value = exchange.query.get(name, str(default))
    if not value.isdecimal():
        raise BadRequest(f"{name} must be a whole number of milliseconds, not {value!r}")
    return int(value)
