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
from core.errors import CompartmentError, Conflict, GatewayUnavailable, JournalError
from core.events import EventType
from core.lines import stamp
from core.model import Stage, Status
from core.promotion.aside import come_back
from core.promotion.candidate import Step, stage_event
from core.promotion.failure import DeploymentFailed, fail
from core.promotion.following import leaders_first
from core.promotion.ledger import run_event
from core.promotion.networks import prepare_networks
from core.promotion.preparing import Preparing
from core.promotion.retiring import Retirement
from core.promotion.serving import is_served
from core.promotion.states import Move, move
from core.promotion.switching import Switch
from core.records import Activation, ActivationState, Deployment, Run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from core.journal import Record
    from core.promotion.parts import Parts

CANCELLED = "cancelled"


class Promotion:
    """Carries out one run."""

    def __init__(self, parts: Parts, run: Run) -> None:
        self._parts = parts
        self._ledger = parts.ledger
        self._id = run.id
        self._retirement = Retirement(parts, run.id)
        self._may_go_on = asyncio.Event()
        self._may_go_on.set()
        self._preparing: Preparing | None = None
        self.is_past_return = False
        """Whether the switch has begun: from here on the run cannot be cancelled."""

    @property
    def run(self) -> Run:
        """The run as it is now."""
        return self._ledger.runs[self._id]

    async def carry_out(self, steps: Callable[[], Awaitable[list[Step]]]) -> None:
        """Takes the run from its first build to its end; a failure ends it and does not raise."""
        try:
            await self._ledger.update(self._started)
            found = await steps()
            await self._make_ready(found)
            self._preparing = Preparing(self._parts, self.run, found, self._may_go_on)
            candidates = await self._preparing.all_ready()
            self.is_past_return = True
            if found:
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

    def _started(self) -> list[Record]:
        started = run_event(EventType.RUN_STARTED, self.run, f"{self.run.trigger} started")
        return [self.run.changed(status=Status.RUNNING), started]

    async def _make_ready(self, steps: Sequence[Step]) -> None:
        """What instances share is there before the first of them starts."""
        if not steps:
            return
        engine = self._parts.engine_of(steps[0].deployment)
        await prepare_networks(self._parts, engine, self.run.target)
        await self._parts.router.open_entrances()

    async def _leave_networks(self) -> None:
        """Nobody is called, or reached, where only what was replaced or removed has been."""
        record = self._ledger.environments.get(self.run.target)
        if record is None or not self._ledger.active(self.run.target):
            return
        engine = self._parts.engines.of(record.engine)
        # Networks that are too many lose nothing: the next run leaves them.
        with contextlib.suppress(CompartmentError):
            await prepare_networks(self._parts, engine, self.run.target, ended=self._id)
            await self._parts.router.open_entrances()

    async def hold(self) -> None:
        """Stops the run before its switch, until `resume`.

        Raises:
            Conflict: it is past the switch, or something does not serve until it has ended.
        """
        if self.is_past_return:
            raise Conflict(
                f"run {self._id} is past the switch and cannot be held", code="run_is_past_switch"
            )
        if self._preparing is not None and self._preparing.is_replacing:
            raise Conflict(
                f"run {self._id} has stopped what it replaces, and cannot be held any more",
                hint=f"to have that back: compartment cancel {self._id}",
                code="run_is_replacing",
            )
        self._may_go_on.clear()
        await self._tell_held(EventType.RUN_HELD, "held before the switch", is_held=True)

    async def resume(self) -> None:
        """Lets a held run go on; one that is not held is not changed."""
        if not self._may_go_on.is_set():
            self._may_go_on.set()
            await self._tell_held(EventType.RUN_RESUMED, "goes on", is_held=False)

    async def _tell_held(self, type_: EventType, message: str, *, is_held: bool) -> None:
        def told() -> list[Record]:
            run = self._ledger.runs.get(self._id)
            if run is None:  # it has failed meanwhile
                return []
            held = run.changed(is_held=is_held)
            return [held, run_event(type_, held, message)]

        await self._ledger.update(told)

    def hand_over(self, run_id: str) -> None:
        """Leaves what still drains to the run after this one, which may take it back."""
        self._retirement.hand_over(run_id)

    async def switch(self, candidates: Sequence[Activation]) -> None:
        """The one atomic switch of the run.

        Raises:
            CompartmentError, DeploymentFailed: nothing was switched.
        """
        await Switch(self._parts, self.run, self._deployments(), candidates).carry_out()

    async def finish(self) -> None:
        """Drains what was replaced, then ends the run. Never goes back."""
        with single_error():
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(self._retirement.retire(each))
                    for each in self._ledger.draining(self._id)
                ]
        cut = sum(task.result() for task in tasks)
        # Clusters that nothing is routed to do no harm: the next update forgets them too.
        with contextlib.suppress(GatewayUnavailable):
            await self._parts.router.forget_gone()
        await self._leave_networks()
        # What is live is watched, and may be told to be unhealthy at this moment.
        await self._ledger.update(lambda: self._finished(cut))
        self._ledger.forget_past()

    def _finished(self, cut: int) -> list[Record]:
        finished = [
            move(deployment, Move.ACTIVATE)
            for deployment in self._deployments()
            if deployment.stage is Stage.DRAINING_PREVIOUS
        ]
        events = [stage_event(each, self._id) for each in finished]
        run = self.run.changed(
            status=Status.SUCCEEDED, completed_at=stamp(), cut_requests=self.run.cut_requests + cut
        )
        cut_in_all = run.cut_requests
        message = f"{run.trigger} succeeded"
        message += f", {cut_in_all} requests cut" if cut_in_all else ""
        heir = self._retirement.heir
        message += f"; {heir} takes over what still drains" if heir else ""
        ended = run_event(EventType.RUN_FINISHED, run, message, **_end(run), handedTo=heir)
        return [*finished, *events, run, ended]

    async def go_back(self, reason: str, code: str) -> None:
        """Removes the candidates and ends the run as failed; what was live is live again."""
        # First the truth: an agent that dies while candidates end must not take them for ready.
        for deployment in self._deployments():
            if not deployment.status.is_final:
                first_line = reason.partition("\n")[0]
                await fail(self._ledger, deployment, self._id, f"not switched: {first_line}")
        await asyncio.gather(*(self._remove(each) for each in self._ledger.candidates(self.run)))
        not_serving = await self._bring_back()
        # What the run before has handed over is nobody's but ours.
        for activation in self._ledger.draining(self._id):
            await self._retirement.retire(activation)
        # A name that has led to a candidate leads nowhere again, and then its cluster can go.
        with contextlib.suppress(GatewayUnavailable):
            await self._parts.router.open_entrances()
            if self._parts.router.gateway.envoy.is_running:
                await self._parts.router.forget_gone()
        await self._leave_networks()
        run = self.run.changed(
            status=Status.FAILED,
            completed_at=stamp(),
            failure_message="\n".join([reason, *not_serving.values()]),
            failure_code=code,
            not_serving=tuple(sorted(not_serving)),
            is_held=False,
        )
        message = "cancelled" if code == CANCELLED else f"{run.trigger} failed: {reason}"
        await self._ledger.write(run, run_event(EventType.RUN_FINISHED, run, message, **_end(run)))
        self._ledger.forget_past()

    async def _remove(self, candidate: Activation) -> None:
        deployment = self._ledger.deployments[candidate.deployment_id]
        if self.is_past_return and is_served(deployment, candidate):
            # For a moment it may have been routed to.
            await self._retirement.drain(candidate)
        await self._parts.stop(candidate)
        await self._ledger.write(replace(candidate, state=ActivationState.GONE))

    async def _bring_back(self) -> dict[str, str]:
        """Starts what stood aside; returns the services that do not serve, and why."""
        found = {}
        for aside in leaders_first(self._ledger.aside(self._id), self._ledger.deployments):
            name = self._ledger.deployments[aside.deployment_id].service.name
            reason = await come_back(self._parts, aside)
            if reason:
                found[name] = f"{name} is not serving: {reason}"
        return found

    def _deployments(self) -> list[Deployment]:
        return [
            self._ledger.deployments[each]
            for each in self.run.deployment_ids
            if each in self._ledger.deployments
        ]


def _end(run: Run) -> dict[str, object]:
    return {
        "status": run.status,
        "failureMessage": run.failure_message,
        "failureCode": run.failure_code,
        "cutRequests": run.cut_requests,
        "notServing": list(run.not_serving),
    }


def _reason(failure: DeploymentFailed | CompartmentError) -> str:
    return failure.detail if isinstance(failure, DeploymentFailed) else failure.message
