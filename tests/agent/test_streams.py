"""Streams that are cut by the end of the agent, at every moment of a reply."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from core.agent import streams
from core.agent.streams import EndStreams

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

START: Message = {"type": "http.response.start", "status": 200, "headers": []}
MORE: Message = {"type": "http.response.body", "body": b"1", "more_body": True}
LAST: Message = {"type": "http.response.body", "body": b"2", "more_body": False}
CUT: Message = {"type": "http.response.body", "body": b"", "more_body": False}


async def receive() -> Message:
    await asyncio.Event().wait()
    raise AssertionError


async def cut_after(*messages: Message, path: str = "/v1/watch") -> list[Any]:
    """What is sent by a reply that is cut when it has sent some messages."""
    stopping, sent = asyncio.Event(), []

    async def app(_: Scope, __: Receive, send: Send) -> None:
        for message in messages:
            await send(message)
        stopping.set()
        if path == "/v1/watch":
            await asyncio.Event().wait()
        await send(LAST)

    async def send(message: Message) -> None:
        sent.append(message)

    async with asyncio.timeout(60):
        await EndStreams(app, stopping)({"type": "http", "path": path}, receive, send)
    return sent


async def test_a_stream_that_is_cut_ends_in_good_order() -> None:
    assert await cut_after(START, MORE) == [START, MORE, CUT]
    assert await cut_after(START) == [START, CUT]


async def test_one_that_has_not_begun_is_refused_in_words() -> None:
    start, body = await cut_after()
    assert start["status"] == 503
    error = json.loads(body["body"])["error"]
    assert error["kind"] == "AgentUnavailable"
    assert error["message"] == "the agent is being stopped"


async def test_one_that_is_over_is_not_ended_twice() -> None:
    assert await cut_after(START, LAST) == [START, LAST]


async def test_who_does_not_read_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_PATIENCE_S", 0.01)
    stopping = asyncio.Event()

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send(START)
        stopping.set()
        await send(MORE)

    async def send(message: Message) -> None:
        if message != START:
            await asyncio.Event().wait()

    async with asyncio.timeout(60):
        await EndStreams(app, stopping)({"type": "http", "path": "/v1/logs"}, receive, send)


async def test_what_is_no_stream_is_finished() -> None:
    assert await cut_after(START, path="/v1/runs") == [START, LAST]


async def test_an_error_is_one_error() -> None:
    async def broken(_: Scope, __: Receive, ___: Send) -> None:
        raise LookupError("a bug")

    app: ASGIApp = EndStreams(broken, asyncio.Event())
    with pytest.raises(LookupError, match="a bug"):
        await app({"type": "http", "path": "/v1/logs"}, receive, receive)  # type: ignore[arg-type]
