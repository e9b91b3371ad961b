"""Single requests and streams, raw, for tests that look at one of them closely."""

from __future__ import annotations

import json
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.load import streams
from tests.load.connection import Connection, request_head

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.load.outcome import StreamEnd
    from tests.load.plan import Target


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply, and when it was complete, in seconds since the epoch."""

    status: int
    headers: dict[str, str]
    body: bytes
    ended_at: float

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    @property
    def version(self) -> str:
        """The version of the lab that replied."""
        return self.headers.get("x-lab-version", "")


async def get(target: Target, path: str, method: str = "GET", **headers: str) -> Reply:
    """One request on a connection of its own; RequestLost when it is not answered whole."""
    with await Connection.open(target) as connection:
        connection.write(request_head(method, path, target, **headers))
        head = await connection.read_head()
        body = b"" if method == "HEAD" else await connection.read_body(head)
        return Reply(head.status, head.headers, body, time.time())


class Held:
    """A request that an instance works on until it is let go: its last byte is still to come."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def end(self) -> Reply:
        """Lets it go; the reply."""
        self._connection.write(b"y")
        return await self.reply()

    async def reply(self) -> Reply:
        """What comes without that."""
        head = await self._connection.read_head()
        body = await self._connection.read_body(head)
        return Reply(head.status, head.headers, body, time.time())


@asynccontextmanager
async def held(target: Target) -> AsyncIterator[Held]:
    """A request to the lab for as long as the test likes; the gateway's limits apply."""
    with await Connection.open(target) as connection:
        connection.write(request_head("POST", "/upload", target, content_length=2) + b"x")
        await get(target, "/version")  # by then the gateway has passed on the other one as well
        yield Held(connection)


async def follow_stream(target: Target, *, websocket: bool) -> tuple[StreamEnd, str]:
    """A stream that would last for ever; returns how it ended."""
    make = streams.websocket_request if websocket else streams.events_request
    follow = streams.follow_websocket if websocket else streams.follow_events
    with await Connection.open(target) as connection:
        head = await streams.open_stream(connection, make(target, 3_600_000))
        return await follow(connection, head)
