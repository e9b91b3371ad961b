"""What follows the agent must not hold up its stop."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.e2e.house import House, LabProject
    from tests.figures import FiguresRecorder


async def count(stream: AsyncIterator[Any], begun: asyncio.Event) -> int:
    found = 0
    async for _ in stream:
        found += 1
        begun.set()
    return found


async def test_streams_end_with_the_agent(
    running: House, lab: LabProject, figures: FiguresRecorder
) -> None:
    await running.deployed(lab)
    target = {"project": lab.name, "environment": "production"}
    streams = (
        running.client.watch(target),
        running.client.log_batches({**target, "following": "true"}),
        running.client.events(),
    )
    begun = [asyncio.Event() for _ in streams]
    async with asyncio.TaskGroup() as tasks:
        counts = [tasks.create_task(count(*each)) for each in zip(streams, begun, strict=True)]
        for each in begun:
            await each.wait()
        began = time.monotonic()
        await running.client.stop_agent()
        figures("agent stop, three streams open", time.monotonic() - began, "s", 0.5)
    assert all(each.result() for each in counts)
    assert "Traceback" not in running.home.agent_output.read_text()
    assert "ERROR" not in running.home.agent_output.read_text()
