"""One process of the load: `python -m tests.proof.volume.sender`, with what it has to do on stdin.

Prints how much it has sent, again and again. It stops when its input ends; then its account is in
the file that it was told.
"""

from __future__ import annotations

import asyncio
import pickle
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from tests.load.load import Load
from tests.proof.volume.account import Tally

if TYPE_CHECKING:
    from pathlib import Path

    from tests.load.plan import LoadPlan, Target

_TELLS_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Order:
    """What a sender has to do."""

    prefix: str
    target: Target
    plan: LoadPlan
    result: Path


def main() -> None:
    order: Order = pickle.load(sys.stdin.buffer)
    tally = Tally(order.prefix)
    asyncio.run(_send(order, tally, sys.stdin.buffer))
    order.result.write_bytes(pickle.dumps(tally.account()))


async def _send(order: Order, tally: Tally, orders: BinaryIO) -> None:
    async with Load(order.target, order.plan, ledger=tally):
        ended = asyncio.create_task(asyncio.to_thread(orders.read))
        while not ended.done():
            print(tally.sent, flush=True)  # noqa: T201 - to who started it
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(ended), _TELLS_EVERY_S)


if __name__ == "__main__":
    main()
