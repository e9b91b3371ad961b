"""What a gateway uses of the machine."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import psutil

from tests.load.connection import Connection, request_head

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.load.plan import Target


async def kib_of_an_idle_connection(target: Target, pids: Sequence[int], count: int) -> float:
    """How many KiB one takes, after one request on each."""
    before = _resident_bytes(pids)
    with ExitStack() as stack:
        for _ in range(count):
            connection = stack.enter_context(await Connection.open(target))
            connection.write(request_head("GET", "/", target))
            await connection.read_body(await connection.read_head())
        return (_resident_bytes(pids) - before) / count / 1024


def cpu_s(pids: Sequence[int]) -> float:
    """How much time of a processor these processes have used so far."""
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return sum(each.user + each.system for each in times)


def _resident_bytes(pids: Sequence[int]) -> int:
    return sum(psutil.Process(pid).memory_info().rss for pid in pids)
