"""Proof 6: what a deploy costs beyond the build and the application's own start."""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING

import psutil
import pytest

from core.engines.docker.labels import home_id
from core.ports import free_port
from tests.e2e.clients import get
from tests.engine.client import connected
from tests.engine.looks import image_of
from tests.load.lab import APP, lab_environment
from tests.load.outcome import RequestLost
from tests.load.plan import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from tests.e2e.house import House, Json, LabProject
    from tests.figures import FiguresRecorder

pytestmark = pytest.mark.engines("process", "docker")

ROUNDS = {"process": 9, "docker": 5}
PORT = 3000


@asynccontextmanager
async def as_process(folder: Path) -> AsyncIterator[Target]:
    """The lab, started as a shell would."""
    port = free_port(set())
    environment = {**lab_environment(folder), "PORT": str(port)}
    with (folder / "output").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "server.py", cwd=APP, env=environment, stdout=output, stderr=output
        )
    try:
        yield Target("127.0.0.1", port, "lab.test")
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def as_container(socket: str, image: str) -> AsyncIterator[Target]:
    """The image of the lab, started as `docker run` would."""
    with connected(socket) as client:

        def start() -> tuple[str, str]:
            made = client.create_container(image, environment={"PORT": str(PORT)})
            client.start(made["Id"])
            described = client.inspect_container(made["Id"])
            return made["Id"], described["NetworkSettings"]["IPAddress"]

        id_, address = await asyncio.to_thread(start)
        try:
            yield Target(address, PORT, "lab.test")
        finally:
            await asyncio.to_thread(client.remove_container, id_, force=True)


async def own_start_s(starting: AbstractAsyncContextManager[Target]) -> float:
    """From the start to the first 200, as an independent prober sees it."""
    began = time.monotonic()
    async with starting as target:
        while True:
            with suppress(RequestLost):
                if (await get(target, "/up")).status == 200:
                    return time.monotonic() - began
            await asyncio.sleep(0.002)


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


@pytest.mark.timeout(180)
async def test_overhead(
    running: House,
    lab: LabProject,
    figures: FiguresRecorder,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    def starting() -> AbstractAsyncContextManager[Target]:
        return as_process(tmp_path)

    if running.engine == "process":
        # The same interpreter for both, whatever the PATH of the services has.
        lab.write(web={"run": {"command": f"exec {sys.executable} server.py"}})
    await running.deployed(lab)
    if running.engine == "docker":
        socket = request.getfixturevalue("docker_socket")
        image = image_of(socket, home_id(running.home))

        def starting() -> AbstractAsyncContextManager[Target]:
            return as_container(socket, image)

        lab.bump()
        await running.deployed(lab)
    deploys, overheads, switches, rollbacks = [], [], [], []
    target = await running.target()
    for _ in range(ROUNDS[running.engine]):
        if running.engine == "docker":
            # In turn the first and the second version, whose images are there: what builders of
            # images cost is not ours.
            lab.version %= 2
        version = lab.bump()
        own_s = await own_start_s(starting())
        run_id = await running.submit(lab)
        events = await running.events(run_id)
        (switched,) = [event for event in events if event["type"] == "RoutesSwitched"]
        switches.append(switched["seconds"])
        deploys.append(seconds_between(events, "RunQueued", "RoutesSwitched"))
        overheads.append(deploys[-1] - own_s)
        began = time.monotonic()
        rolled = await running.submit(lab, "rollback")
        while (await get(target, "/version")).version == version:
            await asyncio.sleep(0.002)
        rollbacks.append(time.monotonic() - began)
        await running.end(rolled)
        # Forward again, so that the next round has something to go back to.
        await running.deployed(lab, "redeploy")
    figures("a deploy up to its switch, one service, median", statistics.median(deploys), "s")
    figures("overhead of a deploy, one service, median", statistics.median(overheads), "s", 0.3)
    figures("route switch, median", statistics.median(switches) * 1000, "ms", 20)
    figures("route switch, slowest", max(switches) * 1000, "ms")
    figures("rollback to first reply of the old version", statistics.median(rollbacks), "s", 1)
    assert statistics.median(overheads) < 0.9
    assert statistics.median(switches) < 0.06
    assert statistics.median(rollbacks) < 3


@pytest.mark.timeout(120)
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
