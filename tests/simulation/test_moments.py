"""What must hold at whichever moment somebody does something: each pass of the loop is tried."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from core.errors import Conflict
from core.model import Health, Trigger
from core.promotion.requests import Request
from core.records import Target
from tests.simulation.agent import Agent
from tests.simulation.repository import NAME, Repository
from tests.simulation.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from core.platform import Platform
    from core.records import Run
    from tests.simulation.simulate import Scene

TARGET = Target(NAME, "production")
STEP_S = 0.4
PASSES = 50
"""More than there are between the last gate that is opened and the end of a run."""


class Stage:
    """One worker, which is deployed from gate to gate."""

    def __init__(self, scene: Scene) -> None:
        scene.commits_take_s = (0,)
        self.machine, self.promises = scene.machine, scene.promises
        self.repository = Repository(scene.project, {"mail": {"kind": "worker"}})
        self.agent = Agent(scene)

    @property
    def platform(self) -> Platform:
        assert self.agent.platform is not None
        return self.agent.platform

    def run(self, run: Run) -> Run:
        """As it is now."""
        return self.promises.runs[run.id]

    async def deploy(self) -> Run:
        await asyncio.sleep(STEP_S)
        self.repository.edit("mail")
        request = Request(Trigger.DEPLOY, TARGET, (), self.repository.root)
        return await self.platform.runs.submit(request)

    async def hold(self, run: Run) -> bool:
        """Whether that could be done."""
        try:
            await self.platform.runs.hold(run.id)
        except Conflict:
            return False
        return True

    async def cancel(self, run_id: str) -> bool:
        """Whether that could be done."""
        try:
            await self.platform.runs.cancel(run_id)
        except Conflict:
            return False
        return True

    async def open_until(self, what: str) -> None:
        """Opens all gates up to one."""
        await asyncio.sleep(STEP_S)
        while what not in str(self.machine.gates):
            self.machine.gates.open_all()
            await asyncio.sleep(STEP_S)

    async def rest(self) -> None:
        """Opens all gates until nothing waits at one any more."""
        await asyncio.sleep(STEP_S)
        while not self.machine.gates.is_empty:
            self.machine.gates.open_all()
            await asyncio.sleep(STEP_S)
        assert self.promises.broken is None, self.promises.broken


async def _pass(passes: int) -> None:
    for _ in range(passes):
        await asyncio.sleep(0)


def test_a_run_that_is_held_does_not_switch() -> None:
    async def play(scene: Scene, passes: int) -> bool:
        stage = Stage(scene)
        run = await stage.deploy()
        await stage.open_until("check")
        stage.machine.gates.open_all()
        await _pass(passes)
        is_held = await stage.hold(run)
        await stage.rest()
        assert stage.run(run).is_held == is_held
        assert stage.run(run).status.is_final != is_held
        if is_held:
            await stage.platform.runs.resume(run.id)
        await stage.rest()
        assert stage.run(run).status == "succeeded"
        await stage.agent.die()
        return is_held

    assert 0 < sum(_at_each_moment(play)) < PASSES


def test_a_run_that_is_held_while_it_fails_is_over_nevertheless() -> None:
    async def play(scene: Scene, passes: int) -> bool:
        stage = Stage(scene)
        run = await stage.deploy()
        await stage.open_until("check")
        stage.machine.gates.open_all(is_failing=True)
        await stage.open_until("stop")
        stage.machine.gates.open_all()
        await _pass(passes)
        is_held = await stage.hold(run)
        await stage.rest()
        assert stage.run(run).status == "failed"
        assert stage.platform.ledger.runs == {}
        await stage.agent.die()
        return is_held

    assert 0 < sum(_at_each_moment(play)) < PASSES


def test_what_dies_while_its_run_ends_is_unhealthy() -> None:
    async def play(scene: Scene, passes: int) -> bool:
        stage = Stage(scene)
        await stage.deploy()
        await stage.rest()
        run = await stage.deploy()
        await stage.open_until("stop")
        stage.machine.gates.open_all()
        await _pass(passes)
        is_over = stage.run(run).status.is_final
        (deployment_id,) = run.deployment_ids
        stage.machine.instances[f"{deployment_id}.1"].end(1)
        await asyncio.sleep(60)
        assert stage.run(run).status == "succeeded"
        assert stage.promises.deployments[deployment_id].health is Health.UNHEALTHY
        await stage.agent.die()
        return is_over

    assert 0 < sum(_at_each_moment(play)) < PASSES


def test_a_run_that_is_cancelled_as_soon_as_it_is_there_holds_nobody_up() -> None:
    async def play(scene: Scene, passes: int) -> bool:
        stage = Stage(scene)
        await asyncio.sleep(STEP_S)
        request = Request(Trigger.DEPLOY, TARGET, (), stage.repository.root)
        asking = asyncio.create_task(stage.platform.runs.submit(request))
        while not stage.platform.ledger.runs:
            await asyncio.sleep(0)
        await _pass(passes)
        (known,) = stage.platform.ledger.runs
        cancelling = asyncio.create_task(stage.cancel(known))
        run = await asking
        await stage.rest()
        is_cancelled = await cancelling
        assert stage.run(run).status == ("failed" if is_cancelled else "succeeded")
        after = await stage.deploy()
        await stage.rest()
        assert stage.run(after).status == "succeeded"
        assert stage.platform.ledger.runs == {}
        await stage.agent.die()
        return is_cancelled

    assert any(_at_each_moment(play))


def _at_each_moment(play: Callable[[Scene, int], Awaitable[bool]]) -> list[bool]:
    found: list[bool] = []

    async def played(scene: Scene) -> None:
        found.append(await play(scene, len(found)))

    for _ in range(PASSES):
        simulate(0, played)
    return found
