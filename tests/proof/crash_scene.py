"""Where crashes are tried: a house, a project in it, an agent that dies, and what comes after."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil

from core.errors import AgentUnavailable
from tests.e2e.house import processes_of
from tests.proof.crash_facts import Facts
from tests.proof.crash_truth import until_true

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.house import House, Json, LabProject
    from tests.proof.crash_agent import CrashingAgent
    from tests.proof.crash_plans import Plan, Services
    from tests.proof.crash_steps import Point, Step

LIMIT_S = 60.0
"""For what has no bound of its own here; what is aimed at is in the test."""


@dataclass
class Scene:
    """One home for many crashes in a row; `lab` is the project that they happen to."""

    running: House
    folder: Path
    agent: CrashingAgent
    services: Services
    """Those of the project, as they are before each crash."""
    lab: LabProject = field(init=False)
    noted: str = ""
    """A deployment that a plan comes back to."""

    def __post_init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """From now on it happens to a project that was never deployed."""
        number = len(list(self.folder.iterdir()))
        self.lab = self.running.lab(self.folder, f"lab{number}")
        self.lab.write(**self.services)

    async def submit(self, trigger: str = "deploy", **more: Any) -> str:
        """Begins a run whose deployments are labelled with their version; returns its id."""
        label = {} if trigger == "rollback" else {"label": f"v{self.lab.version}"}
        return await self.running.submit(self.lab, trigger, **{**label, **more})

    async def deployed(self, trigger: str = "deploy", **more: Any) -> Json:
        """A whole run that must succeed, of a new version where it is a deploy."""
        if trigger == "deploy":
            self.lab.bump()
        result = await self.running.end(await self.submit(trigger, **more))
        assert result["run"]["status"] == "succeeded", result["failureMessage"]
        return result

    async def run(self, trigger: str = "deploy", **more: Any) -> None:
        """A run that ends as it ends, or is not heard of any more because the agent dies."""
        await self.follow(await self.submit(trigger, **more))

    async def follow(self, run_id: str) -> None:
        """Returns at the end of a run.

        Raises:
            AgentUnavailable: the agent has died before that.
        """
        async for _ in self.running.client.events(0, run_id):
            pass

    async def take_down(self, *services: str) -> None:
        """Takes down the project, or some services of it."""
        await self.running.client.down({"project": self.lab.name, "services": list(services)})

    def artifact_of(self, deployment_id: str) -> Path:
        """The folder that a deployment runs from."""
        facts = Facts.read(self.running.home.journal)
        (found,) = [each for each in facts.deployments if each.id == deployment_id]
        return self.running.home.releases / found.artifact_id

    async def active_id(self, service: str = "web") -> str:
        """The one active deployment of a service."""
        (found,) = (await self.running.active(self.lab))[service]
        return str(found["id"])

    async def crash(self, plan: Plan, point: Point) -> tuple[list[Step], bool]:
        """Carries out a plan with an agent that dies at a point.

        Returns its steps up to there, and whether it has come to the point; else it was killed
        when it had nothing more to do.
        """
        self.lab.write(**self.services)
        await plan.prepare(self)
        if not plan.is_recovery:
            await self.running.client.stop_agent()
        await self.agent.start(point, is_armed=plan.is_recovery)
        try:
            if not plan.is_recovery:
                self.agent.arm()
                await plan.begin(self)
            await self._until_idle()
        except AgentUnavailable:
            await self.agent.died()
            return self.agent.steps, True
        await self.agent.kill()
        return self.agent.steps, False

    async def _until_idle(self) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not (await self.running.client.agent())["isIdle"]:
                await asyncio.sleep(0.01)

    async def recovered(self, plan: Plan) -> float:
        """The next command starts an agent; returns the seconds until all is as it must be."""
        began = time.monotonic()
        await self.running.client.attach()
        return await self.until_true(plan, began)

    async def until_true(self, plan: Plan, began: float) -> float:
        """Waits until all is as it must be; returns the seconds since it began."""
        return await until_true(self.running, plan.expected(self.lab), LIMIT_S) - began

    async def dies_at(self, point: Point) -> None:
        """A deploy of the next version, whose agent dies at a point for sure."""
        self.lab.bump()
        await self.running.client.stop_agent()
        await self.agent.start(point)
        self.agent.arm()
        with suppress(AgentUnavailable):
            await self.run()
            raise AssertionError(f"it did not come to {point}")
        await self.agent.died()

    def kill_candidates(self) -> None:
        """Ends every instance of the newest deployments, with what watches over it."""
        newest = {each.id for each in Facts.read(self.running.home.journal).unfinished}
        for shim in processes_of(self.running.home):
            with suppress(psutil.Error):
                named = " ".join(shim.cmdline())
                if any(f"/{id_}." in named for id_ in newest):
                    _kill_all([shim, *shim.children(recursive=True)])


def _kill_all(processes: list[psutil.Process]) -> None:
    """The first one first: it would start the others again."""
    for each in processes:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(processes, timeout=LIMIT_S)
