"""Replies to who is not there any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h11
import pytest

from core.agent.hung_up import DropLateReplies

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send


def broken(state: str) -> h11.Connection:
    """A connection whose client has said what is no HTTP."""
    connection = h11.Connection(h11.SERVER)
    if state == "refused":
        connection.receive_data(b"no HTTP\r\n\r\n")
        with pytest.raises(h11.RemoteProtocolError):
            connection.next_event()
        connection.send(h11.Response(status_code=400, headers=[]))
        connection.send(h11.EndOfMessage())
    return connection


async def reply(connection: h11.Connection) -> None:
    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start"})
        await send({"type": "http.response.body"})

    async def send(message: Message) -> None:
        is_start = message["type"] == "http.response.start"
        connection.send(
            h11.Response(status_code=200, headers=[]) if is_start else h11.EndOfMessage()
        )

    nobody: Any = None
    await DropLateReplies(app)({"type": "http"}, nobody, send)


async def test_what_nobody_takes_is_dropped() -> None:
    await reply(broken("refused"))


async def test_a_reply_that_is_wrong_is_still_told() -> None:
    connection = broken("well")
    connection.receive_data(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    while connection.next_event() is not h11.PAUSED and connection.their_state is not h11.DONE:
        pass
    connection.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
    with pytest.raises(h11.LocalProtocolError):
        await reply(connection)
