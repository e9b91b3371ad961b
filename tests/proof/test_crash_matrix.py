"""The agent is killed at every step of every plan, and all is as it must be within seconds.

A step is one commit to the journal; that is where a deploy, a rollback or a `down` becomes true bit
by bit. Each plan is carried out once to list its steps, then once more for each step by an agent
that ends itself with SIGKILL right before, or right after, that commit. Some plans are the recovery
from such a crash, so that an agent dies while it mends what another one has left. All the while a
load goes on through the gateway.

Then the next command starts an agent, as it would for anybody, and until all of this is so the
clock runs: each service has exactly one active deployment (or none, where there was none before or
it was taken down); its names answer, from outside and inside, with the version that is said to be
active; there is no instance, cluster or release that nothing leads to; no run, deployment or
execution is left unfinished; the events tell the same as the records, and the end of each run once.
The next deploy works, and no request was lost.

`make test` crashes at each entry of the transition table once, `make proof` at every step.
"""

from __future__ import annotations

import statistics
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.load.load import Load
from tests.load.plan import NO_LOAD
from tests.proof.crash_agent import CrashingAgent
from tests.proof.crash_plans import PLANS, Plan
from tests.proof.crash_scene import Scene
from tests.proof.crash_steps import EDGES, Point, Side

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.e2e.house import House
    from tests.figures import FiguresRecorder
    from tests.load.plan import Target
    from tests.proof.crash_steps import Step

GOAL_S = 5.0

LOAD = replace(NO_LOAD, fresh_per_s=30, keep_alive_per_s=20, keep_alive_clients=2)


def test_every_entry_of_the_table_is_crashed_at() -> None:
    assert {edge for plan in PLANS for edge in plan.crosses} == EDGES


@pytest.mark.timeout(600)
@pytest.mark.parametrize("plan", [each for each in PLANS if each.crosses], ids=str)
async def test_crashed_once_at_each_entry(
    running: House, tmp_path: Path, counts: FiguresRecorder, plan: Plan
) -> None:
    """Right after the commit: what the next agent reads is all that is left of it."""
    matrix = Matrix(running, tmp_path, plan)
    await matrix.carry_out([Point(Side.AFTER, edge=each) for each in plan.crosses])
    matrix.tell(counts)
    for point, steps in zip(plan.crosses, matrix.crashed, strict=True):
        assert point in steps[-1].edges


@pytest.mark.whole
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("engine", "plan"),
    [
        pytest.param(engine, plan, marks=[pytest.mark.docker] if engine == "docker" else [])
        for plan in PLANS
        for engine in plan.engines
    ],
    ids=str,
)
async def test_crashed_at_every_step(
    running: House, tmp_path: Path, counts: FiguresRecorder, plan: Plan
) -> None:
    """On both sides of each commit."""
    matrix = Matrix(running, tmp_path, plan)
    await matrix.carry_out()
    matrix.tell(counts)
    crossed = {edge for steps in matrix.crashed for edge in steps[-1].edges}
    assert crossed >= set(plan.crosses)
    assert max(matrix.seconds) < 3 * GOAL_S


class Matrix:
    """The crashes of one plan, in one home, under one load."""

    def __init__(self, running: House, folder: Path, plan: Plan) -> None:
        agent = CrashingAgent(running.home, folder / "crashing")
        (folder / "projects").mkdir()
        self._plan = plan
        self._scene = Scene(running, folder / "projects", agent, plan.services)
        self.seconds: list[float] = []
        """Of each case, until all was as it must be."""
        self.crashed: list[list[Step]] = []
        """The steps of each case whose agent has come to its point; the last is that point."""
        self.sent = self.lost = 0

    async def carry_out(self, points: Sequence[Point] = ()) -> None:
        """Crashes at the points, or else at every step that the plan has."""
        scene = self._scene
        await self._plan.before(scene)
        async with Load(await self._loaded(), LOAD) as load:
            for point in points or await self._every_point():
                await self._case(point)
            # The next deploy works; those before did, because each case begins with one.
            scene.lab.write(**self._plan.services)
            await scene.deployed()
            await scene.until_true(self._plan, time.monotonic())
        report = load.report()
        self.sent, self.lost = report.sent, len(report.lost)
        assert [str(loss) for loss in report.lost] == []

    async def _loaded(self) -> Target:
        """Who is asked all the time: another project where this one may be gone."""
        scene = self._scene
        if not self._plan.may_be_gone:
            return await scene.running.target(f"{scene.lab.name}.localhost")
        neighbour = scene.running.lab(scene.folder, "neighbour")
        neighbour.write(web={})
        await scene.running.deployed(neighbour, label="v1")
        return await scene.running.target("neighbour.localhost")

    async def _every_point(self) -> list[Point]:
        """Lists the steps by an agent that does not die until it is killed at the end."""
        steps = await self._case(Point())
        numbers = range(1, len(steps) + 1)
        return [Point(side, number) for number in numbers for side in Side]

    async def _case(self, point: Point) -> list[Step]:
        with told_of(self._plan, point):
            steps, has_crashed = await self._scene.crash(self._plan, point)
            with told_of(*steps[-1:]):
                self.seconds.append(await self._scene.recovered(self._plan))
        if has_crashed:
            self.crashed.append(steps)
        return steps

    def tell(self, counts: FiguresRecorder) -> None:
        """What is printed."""
        counts("crashes", len(self.seconds), "cases")
        counts("until all is as it must be, median", statistics.median(self.seconds), "s", GOAL_S)
        counts("until all is as it must be, slowest", max(self.seconds), "s", GOAL_S)
        counts("requests sent", self.sent, "requests")
        counts("requests lost", self.lost, "requests", 0)


@contextmanager
def told_of(*what: object) -> Iterator[None]:
    """Adds to a failure where it happened."""
    try:
        yield
    except BaseException as error:
        error.add_note(" ".join(str(each) for each in what))
        raise
