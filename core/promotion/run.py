"""A run: every service up to the barrier, one switch for all of them, then each drain.

Before the switch a failure, a cancellation or a crash goes back; after it everything goes forward.
`Promotion` holds no state of its own that the journal does not have, so that an agent started after
a crash continues with the same code.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from core.ending import single_error, to_the_end
from core.errors import CompartmentError, GatewayUnavailable, JournalError
from core.events import EventType
from core.lines import stamp
from core.model import Stage, Status, Trigger
from core.promotion import readiness
from core.promotion.candidate import Preparation, Step, stage_event
from core.promotion.drain import drain
from core.promotion.failure import DeploymentFailed, describe
from core.promotion.ledger import deployment_event, run_event
from core.promotion.progress import WaitKind
from core.promotion.states import Move, move
from core.records import Activation, ActivationState, Deployment, Run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from core.journal import Record
    from core.promotion.parts import Parts

CANCELLED = "cancelled"


class Promotion:
    """Carries out one run."""

    def __init__(self, parts: Parts, run: Run) -> None:
        self._parts = parts
        self._ledger = parts.ledger
        self._id = run.id
        self.is_past_return = False
        """Whether the switch has begun: from here on the run cannot be cancelled."""

    @property
    def run(self) -> Run:
        """The run as it is now."""
        return self._ledger.runs[self._id]

    async def carry_out(self, steps: Callable[[], Awaitable[list[Step]]]) -> None:
        """Takes the run from its first build to its end; a failure ends it and does not raise."""
        try:
            await self._ledger.write(
                self.run.changed(status=Status.RUNNING),
                run_event(EventType.RUN_STARTED, self.run, f"{self.run.trigger} started"),
            )
            found = await steps()
            await self._make_ready(found)
            candidates = await self._prepare(found)
            self.is_past_return = True
            if candidates:
                await self.switch(candidates)
        except JournalError:
            # What cannot be journalled is not acted on, not even backwards: the next agent decides.
            raise
        except (DeploymentFailed, CompartmentError) as failure:
            # A cancellation that comes now must not leave it half way.
            await to_the_end(self.go_back(_reason(failure), getattr(failure, "code", "failed")))
            return
        except asyncio.CancelledError:
            if not self.is_past_return:
                await to_the_end(self.go_back("cancelled", CANCELLED))
            raise
        await self.finish()

    async def _make_ready(self, steps: Sequence[Step]) -> None:
        """What instances share is there before the first of them starts."""
        if not steps:
            return
        target = self.run.target
        names = sorted(each.service for each in self._parts.router.hosts.of(target))
        await self._parts.engine_of(steps[0].deployment).prepare(target, names)
        await self._parts.router.open_entrances()

    async def _prepare(self, steps: Sequence[Step]) -> list[Activation]:
        """All candidates, checked: the barrier. The first failure cancels the others."""
        if not steps:
            return []
        barrier = asyncio.Barrier(len(steps))
        with single_error():
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._prepare_one(step, barrier)) for step in steps]
        return [task.result() for task in tasks]

    async def _prepare_one(self, step: Step, barrier: asyncio.Barrier) -> Activation:
        preparation = Preparation(self._parts, self._id, step)
        try:
            candidate = await preparation.prepare()
            waits_for = "it is ready; the other services of the run are not yet"
            with self._parts.progress.waits(WaitKind.BARRIER, step.deployment.id, detail=waits_for):
                await readiness.stay_ready(candidate.instances, barrier)
        except DeploymentFailed as failure:
            deployment = preparation.deployment
            logs = self._parts.home.logs
            told, lines = await asyncio.to_thread(describe, deployment, failure, logs)
            await self._fail(deployment, told, lines)
            detail = "\n".join([f"{deployment.service.name}: {told}", *lines])
            raise DeploymentFailed(detail, code=failure.code) from failure
        return candidate.activation

    async def _fail(self, deployment: Deployment, told: str, lines: Sequence[str] = ()) -> None:
        """Without the lines in the log, which has them already."""
        message = "\n".join([told, *lines])
        is_rollback = deployment.returns_to is not None
        fields = {} if is_rollback else {"failure_message": message}
        await self._ledger.write(
            move(deployment, Move.FAIL, **fields),
            deployment_event(
                EventType.DEPLOYMENT_FAILED,
                deployment,
                f"failed: {told}",
                run_id=self._id,
                failureMessage=message,
            ),
        )

    async def switch(self, candidates: Sequence[Activation]) -> None:
        """The one atomic switch of the run, journalled before and after.

        Raises:
            CompartmentError: the gateway refused; the old routes are served.
        """
        deployments = [self._ledger.deployments[each.deployment_id] for each in candidates]
        # An agent before this one may have come as far as this.
        switching = [
            move(each, Move.SWITCH_ROUTE)
            for each in deployments
            if each.stage is not Stage.SWITCHING_ROUTE
        ]
        events = [stage_event(each, self._id) for each in switching]
        await self._ledger.write(*switching, *events)
        with single_error():
            async with asyncio.TaskGroup() as group:
                for each in candidates:
                    for name in each.instance_names:
                        group.create_task(self._keep(each, name))
        seconds = await self._parts.router.switch(candidates, lambda: self._settle(candidates))
        await self._ledger.write(
            run_event(
                EventType.ROUTES_SWITCHED,
                self.run,
                f"routes switched in {seconds * 1000:.1f} ms",
                seconds=round(seconds, 6),
            )
        )

    async def _keep(self, activation: Activation, name: str) -> None:
        instance = await self._parts.engine_behind(activation).adopt(name)
        if instance is None or instance.exit is not None:
            raise DeploymentFailed(f"the candidate {name} has ended")
        await instance.keep()

    async def _settle(self, candidates: Iterable[Activation]) -> None:
        """Makes the acknowledged switch true: who is active, what drains."""
        records: list[Record] = []
        for activation in candidates:
            records.append(replace(activation, state=ActivationState.LIVE))
            incoming = self._ledger.deployments[activation.deployment_id]
            previous = self._ledger.active(incoming.target).get(incoming.service.name)
            if previous is None:
                changed = move(incoming, Move.ACTIVATE)
            else:
                changed = move(incoming, Move.DRAIN_PREVIOUS)
                records += self._displace(previous)
            records += [changed, stage_event(changed, self._id)]
        await self._ledger.write(*records)

    def _displace(self, previous: Deployment) -> list[Record]:
        is_rollback = self.run.trigger is Trigger.ROLLBACK
        displaced = move(previous, Move.ROLL_BACK if is_rollback else Move.SUPERSEDE)
        records: list[Record] = [displaced]
        if is_rollback:
            records.append(stage_event(displaced, self._id))
        live = self._ledger.live(previous.id)
        if live is not None:
            records.append(replace(live, state=ActivationState.DRAINING, replaced_by=self._id))
        return records

    async def finish(self) -> None:
        """Drains what was replaced, then ends the run. Never goes back."""
        draining = [
            each
            for each in self._ledger.activations.values()
            if each.state is ActivationState.DRAINING and each.replaced_by == self._id
        ]
        with single_error():
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._retire(each)) for each in draining]
        cut = sum(task.result() for task in tasks)
        # Clusters that nothing is routed to do no harm: the next update forgets them too.
        with contextlib.suppress(GatewayUnavailable):
            await self._parts.router.forget_gone()
        finished = [
            move(deployment, Move.ACTIVATE)
            for deployment in self._deployments()
            if deployment.stage is Stage.DRAINING_PREVIOUS
        ]
        events = [stage_event(each, self._id) for each in finished]
        run = self.run.changed(
            status=Status.SUCCEEDED, completed_at=stamp(), cut_requests=self.run.cut_requests + cut
        )
        message = f"{run.trigger} succeeded" + (f", {cut} requests cut" if cut else "")
        await self._ledger.write(
            *finished, *events, run, run_event(EventType.RUN_FINISHED, run, message, **_end(run))
        )
        self._ledger.forget_past()

    async def _retire(self, activation: Activation) -> int:
        """Drains and ends one activation; returns how many requests were cut."""
        deployment = self._ledger.deployments[activation.deployment_id]
        cut = 0
        if deployment.service.kind.is_routable:
            cut = await self._drain_and_stop(activation, deployment)
        else:
            await self._end_previous(activation, deployment)
        await self._ledger.write(replace(activation, state=ActivationState.GONE))
        return cut

    async def _drain_and_stop(self, activation: Activation, deployment: Deployment) -> int:
        gateway = self._parts.router.gateway
        with self._parts.progress.waits(WaitKind.DRAIN, self._successor(deployment)) as waiting:
            drained = await drain(gateway, activation.name, deployment.service.drain, waiting)
        before = await self._cut_so_far(activation)
        await self._end_previous(activation, deployment)
        cut: int | None = 0
        if drained.requests_left != 0:
            after = await self._cut_so_far(activation)
            cut = max(0, after - before) if after is not None and before is not None else None
        told = "an unknown number of" if cut is None else cut
        await self._ledger.write(
            deployment_event(
                EventType.PREVIOUS_DRAINED,
                deployment,
                f"drained in {drained.seconds:.2f} s, {told} requests cut,"
                f" {drained.streams_left} streams asked to close",
                run_id=self._id,
                seconds=round(drained.seconds, 3),
                requestsCut=cut,
                streamsClosed=drained.streams_left,
            )
        )
        return cut or 0

    async def _end_previous(self, activation: Activation, deployment: Deployment) -> None:
        with self._parts.progress.waits(
            WaitKind.DRAIN,
            self._successor(deployment),
            limit_s=self._parts.stop_grace_s,
            detail="the previous one was asked to end",
        ):
            await self._stop(activation)

    def _successor(self, previous: Deployment) -> str:
        """The deployment that waits for the end of this one: who watches looks at what is live."""
        active = self._ledger.active(previous.target).get(previous.service.name)
        return active.id if active else previous.id

    async def _cut_so_far(self, activation: Activation) -> int | None:
        try:
            return await self._parts.router.gateway.cut(activation.name)
        except GatewayUnavailable:
            return None

    async def _stop(self, activation: Activation) -> None:
        await self._parts.stop(activation)

    async def go_back(self, reason: str, code: str) -> None:
        """Removes the candidates and ends the run as failed; what is live is untouched."""
        # First the truth: an agent that dies while candidates end must not take them for ready.
        for deployment in self._deployments():
            if not deployment.status.is_final:
                first_line = reason.partition("\n")[0]
                await self._fail(deployment, f"not switched: {first_line}")
        for activation in self._candidates():
            if self.is_past_return:
                # For a moment it may have been routed to.
                service = self._ledger.deployments[activation.deployment_id].service
                with self._parts.progress.waits(
                    WaitKind.DRAIN, activation.deployment_id
                ) as waiting:
                    gateway = self._parts.router.gateway
                    await drain(gateway, activation.name, service.drain, waiting)
            await self._stop(activation)
            await self._ledger.write(replace(activation, state=ActivationState.GONE))
        # A name that has led to a candidate leads nowhere again.
        with contextlib.suppress(GatewayUnavailable):
            await self._parts.router.open_entrances()
        run = self.run.changed(
            status=Status.FAILED,
            completed_at=stamp(),
            failure_message=reason,
            failure_code=code,
        )
        message = "cancelled" if code == CANCELLED else f"{run.trigger} failed: {reason}"
        await self._ledger.write(run, run_event(EventType.RUN_FINISHED, run, message, **_end(run)))
        self._ledger.forget_past()

    def _deployments(self) -> list[Deployment]:
        return [
            self._ledger.deployments[each]
            for each in self.run.deployment_ids
            if each in self._ledger.deployments
        ]

    def _candidates(self) -> list[Activation]:
        return [
            each
            for each in self._ledger.activations.values()
            if each.state is ActivationState.CANDIDATE
            and each.deployment_id in self.run.deployment_ids
        ]


def _end(run: Run) -> dict[str, object]:
    return {
        "status": run.status,
        "failureMessage": run.failure_message,
        "failureCode": run.failure_code,
        "cutRequests": run.cut_requests,
    }


def _reason(failure: DeploymentFailed | CompartmentError) -> str:
    return failure.detail if isinstance(failure, DeploymentFailed) else failure.message
