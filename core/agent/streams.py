"""Streams have no end of their own: when the agent stops they end at once, and in good order."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from core.agent.protocol import error_to_json
from core.ending import single_error
from core.errors import AgentUnavailable

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

STREAMS = frozenset({"/v1/events", "/v1/logs", "/v1/watch"})

_PATIENCE_S = 0.2

_START, _BODY = "http.response.start", "http.response.body"


class EndStreams:
    """Ends the replies that go on for ever once `stopping` is set; others are finished."""

    def __init__(self, app: ASGIApp, stopping: asyncio.Event) -> None:
        self._app = app
        self._stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["path"] not in STREAMS:
            await self._app(scope, receive, send)
            return

        reply = _Reply(send)

        async def answer() -> None:
            await self._app(scope, receive, reply.send)

        with single_error():
            async with asyncio.TaskGroup() as tasks:
                answering = tasks.create_task(answer())
                stop = tasks.create_task(self._stopping.wait())
                await asyncio.wait([answering, stop], return_when=asyncio.FIRST_COMPLETED)
                is_cut = not answering.done()
                answering.cancel()
                stop.cancel()
        if is_cut:
            # Who does not read is not waited for: the connection ends with the agent.
            with suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE_S):
                    await reply.end()


class _Reply:
    """How far a reply has come."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._has_begun = False
        self._is_over = False

    async def send(self, message: Message) -> None:
        """Sends the next part of it."""
        await self._send(message)
        self._has_begun = True
        self._is_over = message["type"] == _BODY and not message.get("more_body", False)

    async def end(self) -> None:
        """Ends it where it is; before its first byte, it is a refusal."""
        if not self._has_begun:
            error = AgentUnavailable("the agent is being stopped")
            told = JSONResponse({"error": error_to_json(error)}, 503)
            start = {"type": _START, "status": told.status_code, "headers": told.raw_headers}
            await self._send(start)
            await self._send({"type": _BODY, "body": told.body, "more_body": False})
        elif not self._is_over:
            await self._send({"type": _BODY, "body": b"", "more_body": False})
