"""The load itself: open loop, so that a slow reply never delays the next request."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from typing import TYPE_CHECKING, Self

from tests.load import streams
from tests.load.connection import Connection
from tests.load.ledger import Ledger
from tests.load.outcome import Answered, Instant, RequestLost, Stream, StreamEnd
from tests.load.plan import LoadPlan, RequestClass
from tests.load.requests import Requests, Sender

if TYPE_CHECKING:
    from types import TracebackType

    from tests.load.plan import Target
    from tests.load.report import Report

PAUSE_AFTER_REFUSED_STREAM_S = 0.1


class Load:
    """Puts the planned load on the target from entering the `async with` block to leaving it.

    Leaving waits for everything under way, which the plan's time-outs bound. The path `/id/<n>` or
    the header `X-Lab-Id` carries the unique id of each request. Another application than the lab
    has `requests` of its own, and a load too large for every reply to be kept a `ledger`.
    """

    def __init__(
        self,
        target: Target,
        plan: LoadPlan | None = None,
        requests: Sender | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self._target = target
        self._plan = plan or LoadPlan()
        self._requests = requests or Requests(target, self._plan.post_bytes)
        self._ledger = ledger or Ledger()
        self._tasks = asyncio.TaskGroup()
        self._schedules: list[asyncio.Task[None]] = []
        self._idle: list[deque[Connection]] = []
        self._is_stopping = False

    def report(self) -> Report:
        """Say what has become of the requests so far."""
        return self._ledger.report()

    async def has_sent(self, count: int) -> None:
        """Wait until so many requests in all have been sent, streams not counted."""
        await self._ledger.has_sent(count)

    async def has_opened(self, count: int) -> None:
        """Wait until so many streams in all have been opened."""
        await self._ledger.has_opened(count)

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        plan = self._plan
        self._schedule(RequestClass.FRESH, plan.fresh_per_s)
        self._schedule(RequestClass.POST, plan.posts_per_s)
        for number in range(plan.keep_alive_clients):
            self._idle.append(deque())
            rate = plan.keep_alive_per_s / plan.keep_alive_clients
            delay = number / plan.keep_alive_clients
            self._schedule(RequestClass.KEEP_ALIVE, rate, self._idle[-1], delay)
        for request_class, count in (
            (RequestClass.SSE, plan.sse_clients),
            (RequestClass.WEBSOCKET, plan.websocket_clients),
        ):
            for number in range(count):
                lasting_s = plan.stream_s * (number + 1) / count
                self._tasks.create_task(self._keep_streaming(request_class, lasting_s))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_stopping = True
        for schedule in self._schedules:
            schedule.cancel()
        try:
            await self._tasks.__aexit__(kind, error, traceback)
        except BaseExceptionGroup as group:
            if group.exceptions != (error,):
                raise  # else the block's own error goes on as it is
        finally:
            for connection in itertools.chain(*self._idle):
                connection.close()

    def _schedule(
        self,
        request_class: RequestClass,
        per_s: float,
        idle: deque[Connection] | None = None,
        delay: float = 0.0,
    ) -> None:
        if per_s:
            schedule = self._keep_time(request_class, per_s, idle, delay)
            self._schedules.append(self._tasks.create_task(schedule))

    async def _keep_time(
        self,
        request_class: RequestClass,
        per_s: float,
        idle: deque[Connection] | None,
        delay: float,
    ) -> None:
        """Start a request at each due time, `delay` of a period after the full ones."""
        began = time.monotonic()
        for number in itertools.count():
            due = began + (number + delay) / per_s
            await asyncio.sleep(due - time.monotonic())
            self._tasks.create_task(self._request(request_class, due, idle))

    async def _request(
        self, request_class: RequestClass, due: float, idle: deque[Connection] | None
    ) -> None:
        start = Instant()
        number = self._ledger.send(due, start)
        try:
            async with asyncio.timeout(self._plan.timeout_s):
                version = await self._requests.send(request_class, number, idle)
        except (RequestLost, TimeoutError) as error:
            self._ledger.lose(request_class, number, start, error)
        else:
            end = Instant()
            latency_s = end.monotonic - due
            answered = Answered(request_class, number, version, start, end, latency_s)
            self._ledger.answer(answered)

    async def _keep_streaming(self, request_class: RequestClass, lasting_s: float) -> None:
        """Open one stream after the other."""
        while not self._is_stopping:
            start = Instant()
            try:
                await self._stream(request_class, lasting_s, start)
            except (RequestLost, TimeoutError) as error:
                self._ledger.lose(request_class, "stream", start, error)
                await asyncio.sleep(PAUSE_AFTER_REFUSED_STREAM_S)

    async def _stream(self, request_class: RequestClass, lasting_s: float, start: Instant) -> None:
        lasting_ms = round(lasting_s * 1000)
        if request_class is RequestClass.SSE:
            request = streams.events_request(self._target, lasting_ms)
            follow: streams.Follow = streams.follow_events
        else:
            request = streams.websocket_request(self._target, lasting_ms)
            follow = streams.follow_websocket
        timeout_s = self._plan.timeout_s
        async with asyncio.timeout(timeout_s):
            connection = await Connection.open(self._target)
        with connection:
            async with asyncio.timeout(timeout_s):
                head = await streams.open_stream(connection, request)
            self._ledger.open_stream()
            try:
                async with asyncio.timeout(lasting_s + timeout_s):
                    how, detail = await follow(connection, head)
            except TimeoutError:
                how, detail = StreamEnd.CUT, "without an end"
        stream = Stream(request_class, head.version, start, Instant(), how, detail)
        self._ledger.end_stream(stream)
