"""A stand-in for the client that tells what a test tells it to, when it tells it to."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any

from core.errors import AgentUnavailable, CompartmentError
from tui.feed.messages import Lines, LinkChanged, Message, Update

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

Json = dict[str, Any]

LOST = AgentUnavailable("the agent does not answer")
TARGET = {"project": "shop", "environment": "production"}


def line(at: str, message: str, **fields: str) -> Json:
    """A log line; `at` is within the one minute that all tests happen in."""
    return {
        "timestamp": f"2026-04-24T10:01:{at}Z",
        "stream": "stdout",
        "message": message,
        "deploymentId": "dep_a",
        "serviceName": "web",
        "environmentName": "production",
        **fields,
    }


class Source:
    """Streams that are scripted: items are given, an error is raised, None ends the stream.

    A stream whose script is over stays open and silent.
    """

    def __init__(self) -> None:
        self.watches: deque[list[Any]] = deque()
        self.logs: deque[list[Any]] = deque()
        self.log_queries: list[Mapping[str, Any]] = []
        self.attached = 0
        self.attach_errors: deque[CompartmentError] = deque()
        self.hangs = False

    async def watch(self, target: Mapping[str, Any]) -> AsyncIterator[Json]:
        assert target == TARGET
        async for each in self._told(self.watches):
            yield each

    async def log_batches(self, query: Mapping[str, Any]) -> AsyncIterator[list[Json]]:
        self.log_queries.append(query)
        async for each in self._told(self.logs):
            yield each

    async def _told(self, scripts: deque[list[Any]]) -> AsyncIterator[Any]:
        for each in scripts.popleft() if scripts else ():
            if isinstance(each, Exception):
                raise each
            if each is None:
                return
            yield each
        await asyncio.Event().wait()

    async def agent(self) -> Json:
        if self.hangs:
            self.hangs = False
            raise LOST
        return {}

    async def attach(self) -> None:
        self.attached += 1
        if self.attach_errors:
            raise self.attach_errors.popleft()


class Heard:
    """Everything that a feed told."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._changed = asyncio.Event()

    def take(self, message: Message) -> None:
        self.messages.append(message)
        self._changed.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()

    @property
    def links(self) -> list[bool | str]:
        """True for up, the reason for down."""
        return [
            each.is_up or each.reason for each in self.messages if isinstance(each, LinkChanged)
        ]

    @property
    def updates(self) -> list[Any]:
        return [each.body for each in self.messages if isinstance(each, Update)]

    @property
    def lines(self) -> list[str]:
        found = [each.lines for each in self.messages if isinstance(each, Lines)]
        return [line["message"] for lines in found for line in lines]
