"""What a deploy costs beyond the build and the service's own start, and what an idle agent costs.

One service, ten and fifty are deployed at once, on the process engine, from a source that needs no
build. The overhead is the time from the command to the switch, less what the same services take to
start without us: all at once, each asked until it answers. The switch is from the first byte of the
new routes to the moment in which they are seen through the listeners. A drain ends when the
replaced instance is asked to end: measured from the end of the last request that it had. A rollback
is over with the first reply of the earlier version.

The time line shows the stages of one deploy, as its events tell them.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from contextlib import suppress
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import psutil
import pytest

from core.model import Stage
from core.ports import free_port
from tests.e2e.clients import get
from tests.load.outcome import RequestLost
from tests.load.plan import Target
from tests.proof.scale.tiny import TinyProject

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.e2e.house import House, Json, LabProject
    from tests.figures import FiguresRecorder
    from tests.proof.evidence import SeriesRecorder

pytestmark = pytest.mark.whole

ROUNDS = 7
GOALS_S = {1: 0.3, 10: 1.0, 50: None}
_STAGES = tuple(Stage)


def names_of(count: int) -> list[str]:
    return [f"service-{number:02}" for number in range(count)]


async def own_start_s(folder: Path, count: int) -> float:
    """From the start of so many services, all at once, until the last of them answers."""
    taken: set[int] = set()
    for _ in range(count):
        taken.add(free_port(taken))
    began = time.monotonic()
    processes = [
        await asyncio.create_subprocess_exec(
            *("python3", "-I", "-S", "server.py"),
            cwd=folder,
            env={**os.environ, "PORT": str(port)},
        )
        for port in taken
    ]
    try:
        await asyncio.gather(*(_until_up(port) for port in taken))
        return time.monotonic() - began
    finally:
        for each in processes:
            each.kill()
            await each.wait()


async def _until_up(port: int) -> None:
    while True:
        with suppress(RequestLost):
            if (await get(Target("127.0.0.1", port, "any"), "/up")).status == 200:
                return
        await asyncio.sleep(0.002)


def at(event: Json) -> datetime:
    return datetime.fromisoformat(event["timestamp"])


def one(events: Sequence[Json], type_: str) -> Json:
    (found,) = [event for event in events if event["type"] == type_]
    return found


@pytest.mark.timeout(300)
@pytest.mark.parametrize("count", GOALS_S)
async def test_what_a_deploy_costs(
    running: House,
    tmp_path: Path,
    figures: FiguresRecorder,
    series: SeriesRecorder,
    count: int,
) -> None:
    project = TinyProject.made(tmp_path, names_of(count))
    await running.deployed(project)
    overheads, switches = [], []
    events: list[Json] = []
    for _ in range(ROUNDS):
        project.bump()
        own_s = await own_start_s(project.root / "app", count)
        events = await running.events(await running.submit(project))
        switched = one(events, "RoutesSwitched")
        overheads.append((at(switched) - at(one(events, "RunQueued"))).total_seconds() - own_s)
        switches.append(1000 * switched["seconds"])
    named = "1 service" if count == 1 else f"{count} services"
    figures(f"overhead of {named}, median", statistics.median(overheads), "s", GOALS_S[count])
    figures(f"switch of {named}, median", statistics.median(switches), "ms", 10)
    series("cost", "overhead of a deploy, s", "services", [(count, statistics.median(overheads))])
    series("cost", "switch, ms", "services", [(count, statistics.median(switches))])
    if count <= 10:
        _draw(events, series, named)
    assert statistics.median(overheads) < 30
    assert statistics.median(switches) < 1000


def _draw(events: Sequence[Json], series: SeriesRecorder, named: str) -> None:
    """When each stage began and ended, for each service, over the seconds of the run."""
    began = at(events[0])
    passed: dict[str, list[tuple[str, float]]] = {}
    for event in events:
        if event["type"] == "StageChanged":
            seconds = (at(event) - began).total_seconds()
            passed.setdefault(event["deploymentId"], []).append((event["promotionStage"], seconds))
    ends: dict[str, list[float]] = {}
    for stages in passed.values():
        for (stage, begin), (_, end) in pairwise(stages):
            ends.setdefault(stage, []).extend((begin, end))
    switched = (at(one(events, "RoutesSwitched")) - began).total_seconds()
    for stage in filter(ends.get, _STAGES):
        points = [(each, 0.0) for each in ends[stage]]
        series(f"timeline of {named}", stage, "seconds", points, [switched])


@pytest.mark.timeout(300)
async def test_a_drain_ends_with_its_last_request(
    running: House, lab: LabProject, figures: FiguresRecorder
) -> None:
    await running.deployed(lab)
    target = await running.target()
    waited = []
    for _ in range(ROUNDS):
        version = f"v{lab.version}"
        lab.bump()
        async with asyncio.TaskGroup() as group:
            last = group.create_task(get(target, "/slow?ms=2500"))
            await running.deployed(lab)
        assert last.result().version == version
        (sigterm,) = lab.access_log.named("sigterm", version)
        waited.append(1000 * (sigterm.time - last.result().ended_at))
    figures("a drain ends after its last request, median", statistics.median(waited), "ms", 50)
    figures("a drain ends after its last request, slowest", max(waited), "ms")
    # A response has left the instance a moment before its client has read it.
    assert min(waited) > -100


@pytest.mark.timeout(300)
async def test_a_rollback(running: House, tmp_path: Path, figures: FiguresRecorder) -> None:
    project = TinyProject.made(tmp_path, ["web"])
    await running.deployed(project)
    target = await running.target("tiny.localhost")
    taken = []
    for _ in range(ROUNDS):
        new = project.bump()
        await running.deployed(project)
        began = time.monotonic()
        run_id = await running.submit(project, "rollback")
        while (await get(target, "/")).body == new.encode():
            await asyncio.sleep(0.002)
        taken.append(time.monotonic() - began)
        await running.end(run_id)
        own_s = await own_start_s(project.root / "app", 1)
        taken[-1] -= own_s
    figures("rollback to the first reply, less the boot, median", statistics.median(taken), "s", 1)
    assert statistics.median(taken) < 30


@pytest.mark.timeout(300)
async def test_what_an_idle_agent_costs(
    running: House, tmp_path: Path, figures: FiguresRecorder, extent: Callable[[int, int], int]
) -> None:
    await running.deployed(TinyProject.made(tmp_path, names_of(3)))
    agent = psutil.Process(await running.agent_pid())
    await asyncio.sleep(15)  # what follows a run and a start is over by then
    before, began = agent.cpu_times(), time.monotonic()
    await asyncio.sleep(extent(2, 60))  # what is measured is that nothing is asked of it
    after, seconds = agent.cpu_times(), time.monotonic() - began
    spent = after.user + after.system - before.user - before.system
    figures("CPU of an agent with 3 services, idle", 100 * spent / seconds, "%", 0.5)
    figures("memory of an agent with 3 services", agent.memory_info().rss / 1e6, "MB", 120)
    assert spent / seconds < 0.1


@pytest.mark.timeout(300)
async def test_what_a_busy_agent_costs(
    running: House, lab: LabProject, figures: FiguresRecorder
) -> None:
    lab.write(web={"lab": {"spam_lines_per_s": 1000}})
    await running.deployed(lab)
    agent = psutil.Process(await running.agent_pid())
    figures("CPU of an agent, 1,000 log lines/s, nobody looks", await _cpu(agent, 10), "%")
    async with asyncio.TaskGroup() as group:
        deploys = group.create_task(_deploy_again(running, lab))
        figures("CPU of an agent while it deploys", await _cpu(agent, 15), "%")
        await deploys
    figures("memory of an agent after that", agent.memory_info().rss / 1e6, "MB", 120)


async def _deploy_again(running: House, lab: LabProject) -> None:
    until = time.monotonic() + 15
    while time.monotonic() < until:
        lab.bump()
        await running.deployed(lab)


async def _cpu(process: psutil.Process, seconds: float) -> float:
    """Percent of one core over some seconds."""
    before, began = process.cpu_times(), time.monotonic()
    await asyncio.sleep(seconds)
    after = process.cpu_times()
    spent = after.user + after.system - before.user - before.system
    return 100 * spent / (time.monotonic() - began)
