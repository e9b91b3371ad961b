"""The load, from processes of its own: what is measured does not wait for who measures."""

from __future__ import annotations

import asyncio
import multiprocessing
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.load.load import Load
from tests.proof.volume.account import Account, Tally

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess
    from multiprocessing.sharedctypes import Synchronized
    from multiprocessing.synchronize import Event

    from tests.load.plan import LoadPlan, Target

_LOOK_PAUSE_S = 0.02
_SPAWN = multiprocessing.get_context("spawn")


@dataclass
class Sender:
    """One process that sends."""

    process: SpawnProcess
    sent: Synchronized[int]
    result: Connection


class Senders:
    """Several at work; `accounts` are there when they have ended."""

    def __init__(self, running: list[Sender]) -> None:
        self._running = running
        self.accounts: list[Account] = []

    @property
    def sent(self) -> int:
        """How many requests have been sent so far, by all of them."""
        return sum(each.sent.value for each in self._running)

    async def has_sent(self, count: int) -> None:
        """Waits until so many requests in all have been sent."""
        while self.sent < count:
            assert all(each.process.is_alive() for each in self._running), "a sender has ended"
            await asyncio.sleep(_LOOK_PAUSE_S)

    async def end(self) -> None:
        """Takes their accounts."""
        self.accounts = [await asyncio.to_thread(each.result.recv) for each in self._running]


@asynccontextmanager
async def sending(target: Target, plan: LoadPlan, count: int) -> AsyncIterator[Senders]:
    """So many processes, each of which sends what is planned, until the end of the block."""
    stop = _SPAWN.Event()
    running = [_started(number, target, plan, stop) for number in range(count)]
    senders = Senders(running)
    try:
        yield senders
        stop.set()
        await senders.end()
    finally:
        stop.set()
        for each in running:
            await asyncio.to_thread(each.process.join, plan.stream_s + 2 * plan.timeout_s)
            each.process.kill()


def _started(number: int, target: Target, plan: LoadPlan, stop: Event) -> Sender:
    ours, theirs = _SPAWN.Pipe(duplex=False)
    sent = _SPAWN.Value("q", 0)
    process = _SPAWN.Process(target=_send, args=(f"s{number}", target, plan, stop, sent, theirs))
    process.start()
    # Else the end of the process would not be the end of what is read.
    theirs.close()
    return Sender(process, sent, ours)


def _send(
    prefix: str,
    target: Target,
    plan: LoadPlan,
    stop: Event,
    sent: Synchronized[int],
    result: Connection,
) -> None:
    result.send(asyncio.run(_account(Tally(prefix, sent), target, plan, stop)))


async def _account(tally: Tally, target: Target, plan: LoadPlan, stop: Event) -> Account:
    async with Load(target, plan, ledger=tally):
        await asyncio.to_thread(stop.wait)
    return tally.account()
