"""Services start in their order, and each as soon as it may, whatever depends on what."""

from __future__ import annotations

import asyncio
import os
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from core.errors import Conflict
from core.model import Condition, Dependency, Service, ServiceKind, Stage, Strategy, Trigger
from core.promotion.order import Order, check_reachable, order_of
from core.promotion.requests import Request
from core.records import ActivationState, Target
from tests.simulation.agent import Agent
from tests.simulation.repository import NAME, Repository
from tests.simulation.simulate import simulate

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.records import Deployment
    from tests.simulation.simulate import Scene

PLAYED = int(os.environ.get("SIMULATION_GRAPHS", "15"))
NAMES = "abcdefg"
KINDS = (ServiceKind.WORKER, ServiceKind.WORKER, ServiceKind.JOB)
TARGET = Target(NAME, "production")
STEP_S = 0.4
LONGEST = 500


@st.composite
def services(draw: st.DrawFn, *, may_be_cyclic: bool = False) -> list[Service]:
    """Workers and jobs, some of which depend on others."""
    names = NAMES[: draw(st.integers(1, len(NAMES)))]
    kinds = {name: draw(st.sampled_from(KINDS)) for name in names}
    found = []
    for number, name in enumerate(names):
        others = names if may_be_cyclic else names[:number]
        needed = [each for each in others if each != name and draw(st.integers(0, 3)) == 0]
        waits = tuple(Dependency(each, draw(_conditions(kinds[each]))) for each in needed)
        is_worker = kinds[name] is ServiceKind.WORKER
        stops = is_worker and draw(st.integers(0, 2)) == 0
        strategy = Strategy.STOP_FIRST if stops else Strategy.OVERLAP
        found.append(Service(name, name, kinds[name], strategy=strategy, depends_on=waits))
    return draw(st.permutations(found))


def _conditions(kind: ServiceKind) -> st.SearchStrategy[Condition]:
    if kind is ServiceKind.JOB:
        return st.just(Condition.COMPLETED)
    return st.sampled_from((Condition.STARTED, Condition.HEALTHY))


def _stopping(found: Collection[Service]) -> set[str]:
    return {each.name for each in found if each.strategy.stops_first}


@settings(max_examples=200, deadline=None)
@given(services())
def test_what_stops_first_is_last_but_for_what_depends_on_it(found: list[Service]) -> None:
    order = order_of(found, _stopping(found))
    late = _late(found)
    assert sorted(order.before_last) == sorted({each.name for each in found} - late)
    for each in found:
        assert order.inside[each.name] == each.depends_on
        assert order.outside[each.name] == ()
    # Nobody waits for himself, whichever way: what is left could never start.
    waits = {each.name: {w.service for w in each.depends_on} for each in found}
    for name in _stopping(found):
        waits[name] |= set(order.before_last)
    TopologicalSorter(waits).prepare()


def _late(found: Collection[Service]) -> set[str]:
    """What stops first, and all that depends on it."""
    late = _stopping(found)
    for _ in found:
        late |= {each.name for each in found if {w.service for w in each.depends_on} & late}
    return late


@settings(max_examples=200, deadline=None)
@given(services(may_be_cyclic=True))
def test_a_circle_is_named(found: list[Service]) -> None:
    waits = {each.name: {w.service for w in each.depends_on} for each in found}
    try:
        TopologicalSorter(waits).prepare()
    except CycleError:
        with pytest.raises(Conflict) as refused:
            order_of(found, ())
        circle = refused.value.message.partition(": ")[2].split(" > ")
        assert circle[0] == circle[-1]
        assert all(there in waits[here] for here, there in pairwise(circle))
    else:
        order_of(found, ())


@settings(max_examples=200, deadline=None)
@given(services(), st.data())
def test_what_could_never_be_is_refused(found: list[Service], data: st.DataObject) -> None:
    """Of a part of the services, beside others that are live, as another kind or not at all."""
    run = [each for each in found if data.draw(st.booleans())]
    outside = [each for each in found if each not in run and data.draw(st.booleans())]
    kinds = (ServiceKind.WORKER, ServiceKind.JOB, ServiceKind.CRON)
    live = {
        each.name: Service(each.name, ".", data.draw(st.sampled_from(kinds))) for each in outside
    }
    order = order_of(run, ())
    assert _is_partition(run, order)
    known = live | {each.name: each for each in run}
    is_hopeless = any(
        not _can_be(known.get(wait.service), wait.condition)
        for each in run
        for wait in each.depends_on
    )
    if is_hopeless:
        with pytest.raises(Conflict):
            check_reachable(run, order, live)
    else:
        check_reachable(run, order, live)


def _is_partition(run: Collection[Service], order: Order) -> bool:
    names = {each.name for each in run}
    return all(
        set(order.inside[each.name]) | set(order.outside[each.name]) == set(each.depends_on)
        and {wait.service for wait in order.inside[each.name]} <= names
        and not {wait.service for wait in order.outside[each.name]} & names
        for each in run
    )


def _can_be(service: Service | None, condition: Condition) -> bool:
    if service is None or service.kind is ServiceKind.CRON:
        return False
    return condition is not Condition.COMPLETED or service.kind is ServiceKind.JOB


# Whole deploys take too long to look for the smallest one that fails.
@settings(max_examples=PLAYED, deadline=None, database=None, phases=[Phase.generate])
@given(services(), st.integers(0, 1000))
def test_everything_starts_as_soon_as_it_may(found: list[Service], seed: int) -> None:
    async def play(scene: Scene) -> None:
        told = Play(scene, found)
        try:
            await told.deploy()
            for each in found:
                told.repository.edit(each.name)
            await told.deploy()
        finally:
            await told.agent.die()

    simulate(seed, play)


class Play:
    """Deploys that are looked at after every single thing that gets done."""

    def __init__(self, scene: Scene, found: list[Service]) -> None:
        self._scene = scene
        self._services = {each.name: each for each in found}
        self._late = _late(found)
        self.repository = Repository(scene.project, {each.name: _block(each) for each in found})
        self.agent = Agent(scene)

    async def deploy(self) -> None:
        """From the first build to the end."""
        await asyncio.sleep(STEP_S)
        platform = self.agent.platform
        assert platform is not None
        promises = self._scene.promises
        run = await platform.runs.submit(Request(Trigger.DEPLOY, TARGET, (), self._scene.project))
        stopping = {name for name in promises.active(TARGET) if self._is_stopping(name)}
        for _ in range(LONGEST):
            await asyncio.sleep(STEP_S)
            self.agent.check_alive()
            assert promises.broken is None, promises.broken
            if not platform.runs._running:
                break
            deployments = [promises.deployments[each] for each in run.deployment_ids]
            self._look({each.service.name: each for each in deployments}, stopping)
            self._scene.machine.gates.open_one(self._scene.rng)
        assert promises.runs[run.id].status == "succeeded"

    def _look(self, beside: dict[str, Deployment], stopping: set[str]) -> None:
        """Until all are ready, exactly those have begun that may."""
        if all(self._is_so_far(each, Condition.HEALTHY) for each in beside.values()):
            return
        for name, deployment in beside.items():
            is_free = self._is_free(name, beside, stopping)
            assert self._has_begun(deployment, name in stopping) == is_free, name

    def _is_stopping(self, name: str) -> bool:
        return self._services[name].strategy.stops_first

    def _is_free(self, name: str, beside: dict[str, Deployment], stopping: set[str]) -> bool:
        if not self._is_built(beside[name]):
            return False
        waits = self._services[name].depends_on
        if not all(self._is_so_far(beside[each.service], each.condition) for each in waits):
            return False
        if name not in stopping:
            return True
        # In a first deployment nothing has to stop, so that nothing is late.
        earlier = [each for other, each in beside.items() if other not in self._late]
        are_built = all(self._is_built(each) for each in beside.values())
        return are_built and all(self._is_so_far(each, Condition.HEALTHY) for each in earlier)

    def _is_built(self, deployment: Deployment) -> bool:
        return deployment.artifact_id in self._scene.machine.artifacts

    def _has_begun(self, deployment: Deployment, is_stopping: bool) -> bool:
        """Whether it starts, or the one before it makes way."""
        if not is_stopping:
            return deployment.stage is not Stage.BUILDING
        promises = self._scene.promises
        aside = [e for e in promises.activations.values() if e.state is ActivationState.ASIDE]
        services = [promises.deployments[each.deployment_id].service.name for each in aside]
        return deployment.service.name in services

    def _is_so_far(self, deployment: Deployment, condition: Condition) -> bool:
        promises = self._scene.promises
        if deployment.service.kind is ServiceKind.JOB:
            mine = [e for e in promises.executions.values() if e.deployment_id == deployment.id]
            there = self._scene.machine.instances
            return any(e.status == "succeeded" and e.id not in there for e in mine)
        candidates = [e for e in promises.activations.values() if e.deployment_id == deployment.id]
        if condition is Condition.STARTED:
            return any(each.addresses for each in candidates)
        instances = [self._scene.machine.instances.get(each.name) for each in candidates]
        return any(each is not None and each.is_ready for each in instances)


def _block(service: Service) -> dict[str, Any]:
    waits = {each.service: str(each.condition) for each in service.depends_on}
    block: dict[str, Any] = {"kind": str(service.kind), "dependsOn": waits}
    if service.strategy.stops_first:
        block["strategy"] = str(service.strategy)
    return block
