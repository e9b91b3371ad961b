"""Health after activation: each fault is told within 2 s, with its reason, and so is its end."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.e2e.clients import get
from tests.e2e.house import LabProject, kill
from tests.load.load import Load
from tests.load.outcome import RequestLost
from tests.pausing import pause

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.e2e.house import House, Json
    from tests.figures import FiguresRecorder
    from tests.load.plan import Target

pytestmark = [pytest.mark.engines("process", "docker"), pytest.mark.timeout(120)]

MOODY = Path(__file__).with_name("moody")
GOAL_S = 2.0
LIMIT_S = 30.0
"""On a machine under load, for what has no bound of its own."""


@dataclass
class Moody:
    """One service of the project, and what is told of its health."""

    running: House
    name: str
    target: Target
    seq: int

    async def ask(self, path: str) -> float:
        """Has it do something; returns when, by the clock of the events."""
        if path == "/crash":
            with suppress(RequestLost):  # it ends before it can reply
                await get(self.target, path)
        else:
            assert (await get(self.target, path)).status == 200
        return time.time()

    async def tells(self) -> AsyncIterator[Json]:
        """Each change of its health, from the last one that was seen on."""
        async with asyncio.timeout(LIMIT_S), aclosing(self.running.client.events(self.seq)) as all_:  # type: ignore[type-var]
            async for event in all_:
                if event["type"] == "HealthChanged" and event["serviceName"] == self.name:
                    self.seq = event["seq"]
                    yield event

    async def becomes(self, health: str, *words: str) -> float:
        """Waits for this change; returns when it was told.

        On a machine under load a check may fail without being told to.
        """
        told = []
        try:
            async with aclosing(self.tells()) as events:  # type: ignore[type-var]
                async for event in events:
                    told.append(event["message"])
                    reason = event["healthReason"] or ""
                    if event["health"] == health and all(word in reason for word in words):
                        return datetime.fromisoformat(event["timestamp"]).timestamp()
        except TimeoutError:
            pass
        raise AssertionError(f"{self.name} was not told to be {health} {words}, but {told}")


@dataclass
class MoodyProject:
    """A project of services that are as well as they are told to be."""

    running: House
    lab: LabProject

    async def deploy(self, *names: str, **fields: object) -> dict[str, Moody]:
        readiness = {"type": "http", "path": "/healthz", **fields}
        run = {"command": "exec python3 server.py"}
        for name in names:
            self.lab.services[name] = {"run": run, "readiness": readiness, "path": "app"}
        self.lab.write()
        await self.running.deployed(self.lab)
        shared = await self.running.target()
        hosts = {name: replace(shared, host=f"{name}-moody.localhost") for name in names}
        return {name: Moody(self.running, name, hosts[name], 0) for name in names}

    async def shown(self, name: str) -> Json:
        (active,) = (await self.running.active(self.lab))[name]
        return active


@pytest.fixture
def moody(running: House, tmp_path: Path) -> MoodyProject:
    root = tmp_path / "moody"
    shutil.copytree(MOODY, root / "app", ignore=shutil.ignore_patterns("__pycache__"))
    return MoodyProject(running, LabProject(root, "moody"))


async def test_each_fault_is_told_and_its_end_too(
    moody: MoodyProject, figures: FiguresRecorder
) -> None:
    services = await moody.deploy("status", "hang", "slow", "crash", "looping")
    told: dict[str, float] = {}

    async def watch(name: str, work: Callable[[Moody], Awaitable[None]]) -> None:
        await work(services[name])
        assert (await moody.shown(name))["healthReason"] is None

    async def wrong_status(it: Moody) -> None:
        at = await it.ask("/mood/500/0")
        reason = "GET /healthz -> 500 Internal Server Error"
        told["a wrong status"] = await it.becomes("unhealthy", reason) - at
        shown = await moody.shown("status")
        assert (shown["health"], shown["healthReason"]) == ("unhealthy", reason)
        at = await it.ask("/mood/200/0")
        told["and its end"] = await it.becomes("healthy") - at

    async def hang(it: Moody) -> None:
        at = await it.ask("/hang/4")
        told["a hang (SIGSTOP)"] = await it.becomes("unhealthy", "does not answer") - at
        await it.becomes("healthy")

    async def slow_death(it: Moody) -> None:
        for delay_s in (0.1, 0.3):
            await it.ask(f"/mood/200/{delay_s}")
        at = await it.ask("/mood/200/1.5")
        told["a slow death"] = await it.becomes("unhealthy", "does not answer") - at
        await it.ask("/mood/200/0")
        await it.becomes("healthy")

    async def crash(it: Moody) -> None:
        at = await it.ask("/crash")
        told["a crash"] = await it.becomes("unhealthy", "exited with code 3") - at
        told["up again"] = await it.becomes("healthy") - at

    async def restart_loop(it: Moody) -> None:
        await it.ask("/mood/doomed/3")
        at = await it.ask("/crash")
        told["a restart loop"] = await it.becomes("unhealthy", "exited with code") - at
        told["a restart loop is over"] = healed = await it.becomes("healthy") - at
        # Once it was up for good, it had to stay so.
        assert healed > 5

    async with asyncio.TaskGroup() as tasks:
        for name, work in zip(
            services, (wrong_status, hang, slow_death, crash, restart_loop), strict=True
        ):
            tasks.create_task(watch(name, work))
    # One end is no loop: it was up again as soon as it could be.
    assert told["up again"] < 5
    for what, seconds in told.items():
        is_fault = "restart loop is over" not in what and "up again" not in what
        figures(f"health: {what} is told", seconds, "s", GOAL_S if is_fault else None)
        assert seconds < (3 * GOAL_S if is_fault else LIMIT_S)


@pytest.mark.engines("process")
async def test_what_flaps_floods_nobody(moody: MoodyProject) -> None:
    (it,) = (await moody.deploy("flappy", intervalMs=250)).values()
    first = it.seq
    for status, health in (("500", "unhealthy"), ("200", "healthy")) * 2 + (("500", "unhealthy"),):
        await it.ask(f"/mood/{status}/0")
        await it.becomes(health)
    await it.ask("/mood/200/0")
    # The sixth change says so, and waits.
    it.seq, messages = first, []
    async with asyncio.timeout(LIMIT_S), aclosing(it.tells()) as events:  # type: ignore[type-var]
        async for event in events:
            messages.append(event["message"])
            if "flapping" in event["message"]:
                break
    assert len(messages) == 6
    assert sum("flapping" in message for message in messages) == 1


def processes(running: House) -> list[int]:
    """The processes of the instances themselves, as this machine counts them."""
    # Under a shim, or under the init of a container.
    found = [psutil.Process(pid).children() for pid in running.first_pids()]
    return [each.pid for children in found for each in children]


@pytest.mark.parametrize("how", ["killed", "hung"])
async def test_one_of_three_under_load(
    running: House, lab: LabProject, figures: FiguresRecorder, how: str
) -> None:
    lab.write(web={"replicas": 3})
    await running.deployed(lab)
    pid = processes(running)[0]
    it = Moody(running, "web", await running.target(), 0)
    async with Load(it.target) as load:
        await load.has_sent(100)
        if how == "killed":
            kill(pid)
        else:
            pause(pid)
        at, done = time.time(), time.monotonic()
        try:
            words = "signal 9" if how == "killed" else "does not answer within"
            seconds = await it.becomes("unhealthy", "1 of 3 instances: ", words) - at
            await load.has_sent(load.report().sent + 100)
        finally:
            if how == "hung":
                os.kill(pid, signal.SIGCONT)
        await it.becomes("healthy")
        await load.has_sent(load.report().sent + 100)
    lost = [loss for loss in load.report().lost if how == "hung" or loss.start.monotonic > done]
    figures(f"health: one of three {how} is told", seconds, "s", GOAL_S)
    figures(f"one of three {how}: lost but what it held", len(lost), "requests", 0)
    assert [str(loss) for loss in lost] == []
    assert seconds < 3 * GOAL_S
