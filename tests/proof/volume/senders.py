"""The load, from processes of its own: what is measured does not wait for who measures."""

from __future__ import annotations

import asyncio
import pickle
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.proof.volume.sender import Order

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.load.plan import LoadPlan, Target
    from tests.proof.volume.account import Account

_ROOT = Path(__file__).parents[3]
_LIMIT_S = 120.0
"""How long a sender may take to end: what is under way ends, or is given up."""


class _Sender:
    """One process that sends."""

    def __init__(self, order: Order, process: asyncio.subprocess.Process) -> None:
        self.order = order
        self.process = process
        self.sent = 0

    async def follow(self, told: asyncio.Event) -> None:
        """Hears how much it has sent, until it ends."""
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.sent = int(line)
            told.set()
        await self.process.wait()
        told.set()

    async def end(self) -> Account:
        """Has it stop; what it says in the end."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        async with asyncio.timeout(_LIMIT_S):
            assert await self.process.wait() == 0, "a sender has failed"
        found: Account = pickle.loads(self.order.result.read_bytes())
        return found


@dataclass
class Senders:
    """Several at work; `accounts` are there when they have ended."""

    running: list[_Sender]
    told: asyncio.Event = field(default_factory=asyncio.Event)
    accounts: list[Account] = field(default_factory=list)

    @property
    def sent(self) -> int:
        """How many requests have been sent so far, by all of them."""
        return sum(each.sent for each in self.running)

    async def has_sent(self, count: int) -> None:
        """Waits until so many requests in all have been sent."""
        while self.sent < count:
            assert all(each.process.returncode is None for each in self.running), "one has ended"
            self.told.clear()
            await self.told.wait()


@asynccontextmanager
async def sending(
    target: Target, plan: LoadPlan, count: int, folder: Path
) -> AsyncIterator[Senders]:
    """So many processes, each of which sends what is planned, until the end of the block."""
    orders = [Order(f"s{number}", target, plan, folder / f"s{number}") for number in range(count)]
    senders = Senders([await _started(order) for order in orders])
    try:
        async with asyncio.TaskGroup() as tasks:
            for each in senders.running:
                tasks.create_task(each.follow(senders.told))
            yield senders
            senders.accounts = [await each.end() for each in senders.running]
    finally:
        for each in senders.running:
            if each.process.returncode is None:
                each.process.kill()
                await each.process.wait()


async def _started(order: Order) -> _Sender:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.proof.volume.sender"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
    )
    assert process.stdin is not None
    process.stdin.write(pickle.dumps(order))
    await process.stdin.drain()
    return _Sender(order, process)
