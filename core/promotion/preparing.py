"""From the steps of a run to its barrier: in their order, as many at once as can be."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from core.ending import single_error
from core.errors import CompartmentError
from core.model import Condition, Health, ServiceKind
from core.promotion import readiness
from core.promotion.aside import stand_aside
from core.promotion.candidate import Preparation
from core.promotion.failure import DeploymentFailed, describe, fail
from core.promotion.finishing import has_finished, is_finished, serves
from core.promotion.fitting import stops_first
from core.promotion.following import sharing
from core.promotion.milestones import Milestones
from core.promotion.networks import prepare_networks
from core.promotion.order import order_of
from core.promotion.progress import WaitKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model import Dependency
    from core.promotion.candidate import Candidate, Step
    from core.promotion.parts import Parts
    from core.records import Activation, Deployment, Run


class Preparing:
    """One run's. While `may_go_on` is not set, nothing live is touched, and the barrier holds."""

    def __init__(
        self, parts: Parts, run: Run, steps: Sequence[Step], may_go_on: asyncio.Event
    ) -> None:
        self._parts = parts
        self._run = run
        self._steps = steps
        self._may_go_on = may_go_on
        services = [each.deployment.service for each in steps]
        self._milestones = Milestones([each.name for each in services])
        self._stopping = {
            each.deployment.service.name for each in steps if self._stops_first(each.deployment)
        }
        self._stopping |= {
            name for name in sharing(services, self._stopping) if self._active(name) is not None
        }
        self._order = order_of(services, self._stopping)
        self._barrier = asyncio.Barrier(max(1, len(steps)))
        self.is_replacing = False
        """Whether something live stands aside: it serves nobody until the run has ended."""

    def _stops_first(self, deployment: Deployment) -> bool:
        active = self._active(deployment.service.name)
        engine = self._parts.engine_of(deployment)
        return bool(stops_first(engine, active, deployment.service, deployment.assigned))

    def _active(self, service: str) -> Deployment | None:
        return self._parts.ledger.active(self._run.target).get(service)

    async def all_ready(self) -> list[Activation]:
        """All candidates, checked: the barrier. The first failure cancels the others.

        Raises:
            DeploymentFailed: one of them cannot become live.
        """
        with single_error():
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._one(step)) for step in self._steps]
        # Held at the last moment: what ends from now on is found out by the switch.
        await self._go_on(*(each.deployment.id for each in self._steps))
        found = [task.result().activation for task in tasks]
        return [each for each in found if each is not None]

    async def _one(self, step: Step) -> Candidate:
        preparation = Preparation(self._parts, self._run.id, step)
        try:
            return await self._prepare(preparation)
        except DeploymentFailed as failure:
            deployment = preparation.deployment
            logs = self._parts.home.logs
            told, lines = await asyncio.to_thread(describe, deployment, failure, logs)
            await fail(self._parts.ledger, deployment, self._run.id, told, lines)
            detail = "\n".join([f"{deployment.service.name}: {told}", *lines])
            raise DeploymentFailed(detail, code=failure.code) from failure

    async def _prepare(self, preparation: Preparation) -> Candidate:
        name = preparation.deployment.service.name
        await preparation.build()
        self._milestones.is_built(name)
        await self._wait_for_others(preparation.deployment)
        if name in self._stopping:
            await self._make_way(preparation.deployment)
        candidate = await preparation.start()
        self._milestones.reach(name, Condition.STARTED)
        candidate = await preparation.check(candidate)
        is_job = preparation.deployment.service.kind is ServiceKind.JOB
        self._milestones.reach(name, Condition.COMPLETED if is_job else Condition.HEALTHY)
        await readiness.stay_ready(
            candidate.instances,
            self._at_barrier(preparation.deployment),
            partial(has_finished, preparation.deployment.service),
        )
        return candidate

    async def _at_barrier(self, deployment: Deployment) -> None:
        waits, detail = self._parts.progress.waits, "the other services of the run are not ready"
        with waits(WaitKind.BARRIER, deployment.id, detail=detail):
            await self._barrier.wait()
        await self._go_on(deployment.id)

    async def _go_on(self, *deployment_ids: str) -> None:
        # It may be held again before who waits has noticed that it went on.
        while not self._may_go_on.is_set():
            with self._parts.progress.waits(WaitKind.HOLD, *deployment_ids, detail="it is held"):
                await self._may_go_on.wait()

    async def _wait_for_others(self, deployment: Deployment) -> None:
        name = deployment.service.name
        for each in self._order.outside[name]:
            self._check_outside(each)
        for each in self._order.inside[name]:
            detail = f"for {each.service} to be {each.condition}"
            with self._parts.progress.waits(WaitKind.DEPENDENCY, deployment.id, detail=detail):
                await self._milestones.wait(each.service, each.condition)

    def _check_outside(self, dependency: Dependency) -> None:
        """What the run leaves alone does not change by waiting for it."""
        active = self._active(dependency.service)
        if active is None:
            raise DeploymentFailed(
                f"it waits for {dependency.service}, which is not active", has_begun=False
            )
        if dependency.condition is Condition.HEALTHY and active.health is Health.UNHEALTHY:
            reason = active.health_reason or "its log says why"
            raise DeploymentFailed(
                f"it waits for {dependency.service}, which is unhealthy: {reason}",
                guess=f"deploy them together: --service {dependency.service}",
                has_begun=False,
            )

    async def _make_way(self, deployment: Deployment) -> None:
        """Ends the live one, once everything else that can be done beside it has been done."""
        detail = "for the services that start beside their live ones"
        with self._parts.progress.waits(WaitKind.DEPENDENCY, deployment.id, detail=detail):
            await self._milestones.all_built()
            for each in self._order.before_last:
                await self._milestones.wait(each, Condition.HEALTHY)
        await self._go_on(deployment.id)
        active = self._parts.ledger.active(self._run.target)
        name = deployment.service.name
        # What is in its network loses that with it, and needs a new one whatever comes of the run.
        beside = sharing((each.service for each in active.values()), {name})
        try:
            for each in (*sorted(beside), name):
                if each in active and not await self._has_finished(active[each]):
                    self.is_replacing = True
                    await stand_aside(self._parts, self._run, active[each])
            engine = self._parts.engine_of(deployment)
            await prepare_networks(self._parts, engine, deployment.target)
        except CompartmentError as error:
            raise DeploymentFailed(
                error.message, guess=error.hint, code=error.code, has_begun=False
            ) from error

    async def _has_finished(self, previous: Deployment) -> bool:
        """Whether nothing of it runs, nor may run again: what stands aside may come back."""
        engine, live = self._parts.engine_of(previous), self._parts.ledger.live(previous.id)
        if live is None or serves(self._parts.ledger, live):
            return False
        found = [await is_finished(engine, previous.service, name) for name in live.instance_names]
        return all(found)
