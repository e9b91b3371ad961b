"""The agent as a feed: found again, or started again, whenever it goes away."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Protocol

from core.ending import single_error
from core.errors import CompartmentError, NotFound
from tui.feed.messages import Lines, LinkChanged, Update
from tui.feed.overlap import Overlap

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from tui.feed.messages import Take

Json = dict[str, Any]

_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 3.0
_SLICE_LINES: Final = 500
"""About 5 ms of work; the screen and the keys have their turn in between."""

_SILENCE_S: Final = 5.0
"""Where anything is live there are figures every 2 s; after this the agent is asked if it lives."""


class Source(Protocol):
    """What is asked of `core.agent.client.Client`."""

    def watch(self, target: Mapping[str, Any]) -> AsyncIterator[Json]:
        """Updates, the first of which has everything."""

    def log_batches(self, query: Mapping[str, Any]) -> AsyncIterator[list[Json]]:
        """Log lines, oldest first."""

    async def agent(self) -> Json:
        """What the agent says of itself; raises AgentUnavailable if it hangs."""


class Pauses:
    """The pauses between tries, each twice as long as the one before."""

    def __init__(self) -> None:
        self._next_s = _FIRST_PAUSE_S

    def next(self) -> float:
        """How long to wait now."""
        now = self._next_s
        self._next_s = min(2 * now, _LONGEST_PAUSE_S)
        return now

    def reset(self) -> None:
        """It works."""
        self._next_s = _FIRST_PAUSE_S


class LiveFeed:
    """Updates and log lines of one environment; `attach` finds the agent or starts it again."""

    def __init__(
        self, client: Source, target: Mapping[str, str], *, attach: Callable[[], Awaitable[None]]
    ) -> None:
        self._client = client
        self._target = target
        self._attach = attach
        self._overlap = Overlap()
        self._reason: str | None = None
        """Why the agent is away, as it was told last."""
        self._up = asyncio.Event()
        self._news = asyncio.Event()
        self._heard_at = 0.0

    def now(self) -> datetime:
        """The present."""
        return datetime.now(UTC)

    async def run(self, take: Take) -> None:
        """Hands over updates and lines until cancelled."""
        with single_error():
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_watching(take))
                tasks.create_task(self._keep_reading(take))

    async def _keep_watching(self, take: Take) -> None:
        pauses = Pauses()
        is_attached = True  # by whoever opened the dashboard
        while True:
            try:
                if not is_attached:
                    await self._attach()
                await self._watch(take, pauses)
                reason = "it ended the connection"
            except CompartmentError as error:
                reason = error.message
            is_attached = False
            self._lose(take, reason)
            await asyncio.sleep(pauses.next())

    async def _watch(self, take: Take, pauses: Pauses) -> None:
        with single_error():
            async with asyncio.TaskGroup() as tasks:
                doubt = tasks.create_task(self._doubt_silence())
                async for update in self._client.watch(self._target):
                    self._heard_at = monotonic()
                    pauses.reset()
                    self._find(take)
                    take(Update(update))
                    self._news.set()
                doubt.cancel()

    async def _doubt_silence(self) -> None:
        """Notices an agent that holds the connection and says nothing: it hangs, or is stopped."""
        while True:
            await asyncio.sleep(_SILENCE_S)
            if monotonic() - self._heard_at >= _SILENCE_S:
                await self._client.agent()

    def _find(self, take: Take) -> None:
        if not self._up.is_set():
            self._up.set()
            self._reason = None
            take(LinkChanged(self.now(), is_up=True))

    def _lose(self, take: Take, reason: str) -> None:
        self._up.clear()
        if reason != self._reason:
            self._reason = reason
            take(LinkChanged(self.now(), is_up=False, reason=reason))

    async def _keep_reading(self, take: Take) -> None:
        pauses = Pauses()
        while True:
            await self._up.wait()
            try:
                await self._read(take, pauses)
            except NotFound:  # nothing was deployed yet; the watch tells when something is
                self._news.clear()
                await asyncio.sleep(_FIRST_PAUSE_S)
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LONGEST_PAUSE_S):
                        await self._news.wait()
                continue
            except CompartmentError:
                pass  # the watch says why, and attaches again
            await asyncio.sleep(pauses.next())

    async def _read(self, take: Take, pauses: Pauses) -> None:
        query = {**self._target, "following": "true", **self._overlap.resume()}
        async for batch in self._client.log_batches(query):
            pauses.reset()
            for start in range(0, len(batch), _SLICE_LINES):
                lines = self._overlap.fresh(batch[start : start + _SLICE_LINES])
                if lines:
                    take(Lines(lines))
                await asyncio.sleep(0)
