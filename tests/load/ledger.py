"""Where a load writes down what it sent and what became of it."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from tests.load.outcome import Answered, Instant, Loss, LossKind, RequestLost, Stream
from tests.load.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.load.plan import RequestClass


class Ledger:
    """Grows while the load runs; `report` may be asked at any time."""

    def __init__(self) -> None:
        self._run = secrets.token_hex(4)
        self._ids: list[str] = []
        self._answered: list[Answered] = []
        self._lost: list[Loss] = []
        self._streams: list[Stream] = []
        self._latest_start_s = 0.0
        self._opened_streams = 0
        self._waiting: list[tuple[Callable[[], bool], asyncio.Event]] = []

    def send(self, due: float, start: Instant) -> str:
        """Write down that a request starts; return an id that no other request has."""
        number = f"{self._run}-{len(self._ids)}"
        self._ids.append(number)
        self._latest_start_s = max(self._latest_start_s, start.monotonic - due)
        self._wake()
        return number

    def answer(self, answered: Answered) -> None:
        """Write down a right reply."""
        self._answered.append(answered)

    def lose(
        self, request_class: RequestClass, number: str, start: Instant, error: Exception
    ) -> None:
        """Write down a loss: a RequestLost says of which kind, anything else was a time-out."""
        if not isinstance(error, RequestLost):
            error = RequestLost(LossKind.TIMEOUT, "gave up")
        details = (error.kind, start, Instant(), error.status, error.detail)
        self._lost.append(Loss(request_class, number, *details))

    def open_stream(self) -> None:
        """Write down that a stream is open."""
        self._opened_streams += 1
        self._wake()

    def end_stream(self, stream: Stream) -> None:
        """Write down how a stream that was open ended."""
        self._streams.append(stream)

    async def has_sent(self, count: int) -> None:
        """Wait until so many requests in all have been sent."""
        await self._reach(lambda: len(self._ids) >= count)

    async def has_opened(self, count: int) -> None:
        """Wait until so many streams in all have been opened."""
        await self._reach(lambda: self._opened_streams >= count)

    async def _reach(self, is_reached: Callable[[], bool]) -> None:
        if not is_reached():
            reached = asyncio.Event()
            self._waiting.append((is_reached, reached))
            await reached.wait()

    def _wake(self) -> None:
        for is_reached, reached in self._waiting:
            if is_reached():
                reached.set()
        self._waiting = [x for x in self._waiting if not x[1].is_set()]

    def report(self) -> Report:
        """Say what has become of everything so far."""
        return Report(
            tuple(self._ids),
            tuple(self._answered),
            tuple(self._lost),
            tuple(self._streams),
            self._latest_start_s,
        )
