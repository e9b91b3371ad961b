"""A project under load, taken to a moment of a run, and what must hold after anything befell it."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from core.errors import Conflict
from tests.e2e import faults
from tests.e2e.clients import get
from tests.e2e.house import processes_of
from tests.load.load import Load
from tests.load.outcome import RequestLost
from tests.load.plan import LoadPlan

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.e2e.house import House, LabProject

QUIET = "quiet"
HELD = "held"
BEFORE_SWITCH = ("building", "starting_candidate", "checking_readiness", HELD)
AT_SWITCH = "switching_route"
"""Seen too late to say on which side of the switch a fault falls."""
AFTER_SWITCH = "draining_previous"
MOMENTS = (QUIET, *BEFORE_SWITCH, AT_SWITCH, AFTER_SWITCH)

SERVICES = ("backoffice", "web")
LOAD = LoadPlan(
    fresh_per_s=40,
    keep_alive_per_s=20,
    keep_alive_clients=4,
    posts_per_s=1,
    post_bytes=100_000,
    sse_clients=1,
    websocket_clients=1,
    timeout_s=90,
)
"""Clients that wait longer than any fault lasts: only what is really lost is counted as lost."""

LIMIT_S = 120.0
"""For what has no bound of its own: nothing may wait for ever."""
_LOOK_S = 0.02
_SOME = 30
"""So many requests are sent before a fault, and so many after it."""


@dataclass
class Scene:
    """Two services that serve `v1`, and a run that replaces them by `v2` unless all is quiet."""

    running: House
    lab: LabProject
    load: Load
    moment: str = QUIET
    run_id: str | None = None
    told: str = ""
    """Why the run failed; empty if it did not."""

    async def reach(self, moment: str) -> None:
        """Begins a run and lets it come to a moment; does nothing for the quiet."""
        self.moment = moment
        if moment == QUIET:
            return
        self.lab.bump()
        self.run_id = await self.running.submit(self.lab)
        if moment != HELD:
            await self.running.until(self.run_id, "StageChanged", promotionStage=moment)
            return
        await self.running.client.hold(self.run_id)
        for name in SERVICES:
            await self.running.until(self.run_id, "ReadinessPassed", serviceName=name)

    async def serves(self) -> float:
        """Waits until a request is answered well; returns when, on the monotonic clock."""
        target = await self.running.target()
        async with asyncio.timeout(LIMIT_S):
            while True:
                with suppress(RequestLost):
                    if (await get(target, "/version")).status == 200:
                        return time.monotonic()
                await asyncio.sleep(_LOOK_S)

    async def end(self) -> bool:
        """Waits for the end of the run; whether there was one, and it has switched."""
        if self.run_id is None:
            return False
        if self.moment == HELD:
            with suppress(Conflict):  # it is over
                await self.running.client.resume(self.run_id)
        async with asyncio.timeout(LIMIT_S):
            result = await self.running.end(self.run_id)
        self.told = result["failureMessage"] or ""
        return bool(result["run"]["status"] == "succeeded")

    async def is_well(self, version: str) -> None:
        """This version answers, is told to be well, and nothing runs that should not."""
        await self.is_as_it_should_be(version)
        await self.load.has_sent(self.load.report().sent + _SOME)

    async def is_as_it_should_be(self, version: str) -> None:
        """The same, also when nobody asks any more."""
        await faults.until_answered(await self.running.target(), version)
        await faults.until_seen(self.running, self.lab, faults.all_healthy)
        active = await self.running.active(self.lab)
        assert {name: len(found) for name, found in active.items()} == dict.fromkeys(SERVICES, 1)
        live = {found[0]["id"] for found in active.values()}
        # What could not be ended while something was broken is ended when it is well again.
        await _until(lambda: self._deployments_with_instances() == live)
        await _until(lambda: self._count("core.agent.daemon") == 1)
        await _until(lambda: self._count("--config-path") == 1)

    def _deployments_with_instances(self) -> set[str]:
        return {each.rpartition(".")[0] for each in self.running.instance_names()}

    def _count(self, words: str) -> int:
        """How many processes of this home have these words in their command lines."""
        found = processes_of(self.running.home)
        lines = [" ".join(_command_line(each.pid)) for each in found]
        return sum(words in line for line in lines)

    async def next_deploy_works(self) -> None:
        """Nothing of what befell it is in its way."""
        version = self.lab.bump()
        await self.running.deployed(self.lab)
        await self.is_well(version)


@asynccontextmanager
async def scene(running: House, lab: LabProject) -> AsyncIterator[Scene]:
    """Two services that serve their first version, under load for as long as the block runs."""
    lab.write(
        web={"build": {"command": "sleep 0.3"}, "lab": {"boot_delay_ms": 300}},
        backoffice={"kind": "api", "lab": {"boot_delay_ms": 500}},
    )
    await running.deployed(lab)
    async with Load(await running.target(), LOAD) as load:
        await load.has_sent(_SOME)
        yield Scene(running, lab, load)


def _command_line(pid: int) -> list[str]:
    try:
        return psutil.Process(pid).cmdline()
    except psutil.Error:
        return []


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not is_so():
            await asyncio.sleep(_LOOK_S)
