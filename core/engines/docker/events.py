"""What happens on the engine, as it happens; after a gap everything known is compared with it."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import TYPE_CHECKING, Any, Final

from core.errors import CompartmentError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from core.engines.docker.connection import Docker

Json = dict[str, Any]

_log = logging.getLogger(__name__)

_PAUSE_S: Final = 0.2
_FILTERS: Final = json.dumps({"type": ["container", "image", "network"]})
"""Not only what has our labels: when an image is deleted nothing is said of its labels."""


class Events:
    """The one event stream of an engine, and all who listen to it."""

    def __init__(self, docker: Docker) -> None:
        self.is_connected = False
        """Whether what is known is what is true: all have been told, and nothing was missed."""
        self._docker = docker
        self._listens: list[Callable[[Json], None]] = []
        self._resyncs: list[Callable[[], Awaitable[None]]] = []
        self._tried = asyncio.Event()
        self._back = asyncio.Event()
        self._was_lost = False
        self._patience = asyncio.timeout(None)
        docker.doubt = self.doubt

    def subscribe(
        self, listen: Callable[[Json], None], resync: Callable[[], Awaitable[None]]
    ) -> None:
        """Has each event told, and after each gap asks to find out what was missed.

        The same may be told twice, by the comparison and by an event that was on its way.
        """
        self._listens.append(listen)
        self._resyncs.append(resync)

    async def run(self) -> None:
        """Listens until it is cancelled, whether the engine is there or not."""
        while True:
            reason = "it ended the stream of events"
            try:
                async with asyncio.timeout(None) as self._patience:
                    await self._follow()
            except TimeoutError:
                reason = "it left something unanswered"
            except CompartmentError as error:
                reason = error.message
            self._lose(reason)
            await asyncio.sleep(_PAUSE_S)

    async def wait_tried(self) -> None:
        """Returns once it is known whether the engine is there."""
        await self._tried.wait()

    async def wait_back(self) -> None:
        """Returns when it is there again after it was not, or something has moved since last time.

        One at a time waits here.
        """
        await self._back.wait()
        self._back.clear()

    def doubt(self) -> None:
        """Has everything compared again as soon as the engine answers."""
        if self.is_connected:
            self.is_connected = False
            self._patience.reschedule(asyncio.get_running_loop().time())
        else:
            # Who asked when it did not answer yet has to look again, too.
            self._was_lost = True

    def moved(self) -> None:
        """Has `wait_back` return: something is not any more where it was."""
        self._back.set()

    async def _follow(self) -> None:
        # One that is just starting takes the question, and answers it when all has happened that a
        # start brings along: told after the comparison, that would be taken for news.
        async with self._docker.stream("GET", "/_ping"):
            pass
        # With a moment, because the engine answers before it begins to watch for us.
        since = f"{time.time():.6f}"
        stream = self._docker.stream("GET", "/events", since=since, filters=_FILTERS)
        async with stream as chunks:
            for resync in self._resyncs:
                await resync()
            self._connect()
            async for event in _events(chunks):
                for listen in self._listens:
                    listen(event)

    def _connect(self) -> None:
        self.is_connected = True
        self._tried.set()
        if self._was_lost:
            self._was_lost = False
            self._back.set()
            _log.warning("the Docker Engine answers again")

    def _lose(self, reason: str) -> None:
        if not self._was_lost:
            _log.warning("the Docker Engine is lost: %s", reason)
        self.is_connected = False
        self._was_lost = True
        self._tried.set()


async def _events(chunks: AsyncIterator[bytes]) -> AsyncIterator[Json]:
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line:
                yield json.loads(line)
