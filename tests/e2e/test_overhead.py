"""Proof 6: what a deploy costs beyond the build and the application's own start."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

import psutil
import pytest

from core.ports import free_port
from tests.e2e.clients import get
from tests.load.lab import APP, lab_environment
from tests.load.outcome import RequestLost
from tests.load.plan import Target

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.house import House, Json, LabProject
    from tests.figures import FiguresRecorder

ROUNDS = 9


async def own_start_s(folder: Path) -> float:
    """From exec to the first 200, as an independent prober sees it."""
    port = free_port(set())
    target = Target("127.0.0.1", port, "lab.test")
    environment = {**lab_environment(folder), "PORT": str(port)}
    with (folder / "output").open("wb") as output:
        began = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "server.py", cwd=APP, env=environment, stdout=output, stderr=output
        )
    try:
        while True:
            with suppress(RequestLost):
                if (await get(target, "/up")).status == 200:
                    return time.monotonic() - began
            await asyncio.sleep(0.002)
    finally:
        process.kill()
        await process.wait()


def seconds_between(events: list[Json], first: str, last: str, **fields: str) -> float:
    def at(type_: str) -> datetime:
        found = next(
            event
            for event in events
            if event["type"] == type_
            and (type_ == last or all(event.get(key) == value for key, value in fields.items()))
        )
        return datetime.fromisoformat(found["timestamp"])

    return (at(last) - at(first)).total_seconds()


@pytest.mark.timeout(120)
async def test_overhead(
    running: House, lab: LabProject, figures: FiguresRecorder, tmp_path: Path
) -> None:
    # The same interpreter for both, whatever the PATH of the services has.
    lab.write(web={"run": {"command": f"exec {sys.executable} server.py"}})
    await running.deployed(lab)
    overheads, switches, rollbacks = [], [], []
    target = await running.target()
    for _ in range(ROUNDS):
        version = lab.bump()
        own_s = await own_start_s(tmp_path)
        run_id = await running.submit(lab)
        events = await running.events(run_id)
        (switched,) = [event for event in events if event["type"] == "RoutesSwitched"]
        switches.append(switched["seconds"])
        overheads.append(seconds_between(events, "RunQueued", "RoutesSwitched") - own_s)
        began = time.monotonic()
        rolled = await running.submit(lab, "rollback")
        while (await get(target, "/version")).version == version:
            pass
        rollbacks.append(time.monotonic() - began)
        await running.end(rolled)
        # Forward again, so that the next round has something to go back to.
        await running.deployed(lab, "redeploy")
    figures("overhead of a deploy, one service, median", statistics.median(overheads), "s", 0.3)
    figures("route switch, median", statistics.median(switches) * 1000, "ms", 20)
    figures("route switch, slowest", max(switches) * 1000, "ms")
    figures("rollback to first reply of the old version", statistics.median(rollbacks), "s", 1)
    assert statistics.median(overheads) < 0.9
    assert statistics.median(switches) < 0.06
    assert statistics.median(rollbacks) < 3


@pytest.mark.timeout(60)
async def test_an_idle_agent_costs_little(
    running: House, lab: LabProject, figures: FiguresRecorder
) -> None:
    await running.deployed(lab)
    agent = psutil.Process(await running.agent_pid())
    before = agent.cpu_times()
    began = time.monotonic()
    await asyncio.sleep(2)  # what is measured is that nothing is asked of it
    after = agent.cpu_times()
    spent = after.user + after.system - before.user - before.system
    figures("CPU of an idle agent", 100 * spent / (time.monotonic() - began), "%", 1)
    figures("memory of an agent", agent.memory_info().rss / 2**20, "MiB")
    assert spent < 0.1
