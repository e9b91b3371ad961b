"""After an agent has died: what was past the switch goes forward, everything else goes back."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.ending import to_the_end
from core.errors import CompartmentError, EngineUnavailable, GatewayUnavailable, JournalError
from core.model import Stage, Status
from core.promotion.aside import come_back
from core.promotion.down import leave
from core.promotion.failure import DeploymentFailed
from core.promotion.finishing import is_finished
from core.promotion.following import leaders_first
from core.promotion.retiring import Retirement
from core.promotion.returning import bring_back
from core.promotion.reviving import as_far_as_it_goes, live, resume
from core.promotion.run import Promotion
from core.promotion.strangers import end_strangers
from core.records import Activation, ActivationState

if TYPE_CHECKING:
    from core.promotion.parts import Parts
    from core.records import Deployment, Run, Target

_log = logging.getLogger(__name__)
_AGENT_ENDED = "the agent ended before the switch"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A run of an agent before this one. Others do not wait for its end, which may take minutes."""

    promotion: Promotion
    is_switched: bool

    async def end(self) -> None:
        """Takes it forward where it has switched, and back where it has not."""
        if self.is_switched:
            await self.promotion.finish()
        else:
            await to_the_end(self.promotion.go_back(_AGENT_ENDED, "agent_ended"))


async def recover(parts: Parts) -> list[Unfinished]:
    """Makes what is live true again; returns the runs that have to be ended.

    A gateway that serves goes on meanwhile. One that has to be started is started last: whoever
    gets a connection then gets the right reply.

    Raises:
        GatewayUnavailable: the gateway cannot serve what is live.
    """
    if live(parts) and not await parts.router.is_serving():
        await bring_back(parts)
    else:
        for engine in parts.engines:
            await resume(parts, engine)
    switching = {run.id: await _switching(parts, run) for run in parts.ledger.runs.values()}
    if parts.ledger.hosts or parts.ledger.environments:
        # What is to go forward is routed to at once: it may be already, and must not go to and fro.
        await parts.router.start([each for found in switching.values() for each in found])
    await _end_left_over(parts)
    runs = list(parts.ledger.runs.values())
    if not runs and parts.router.gateway.envoy.is_running:
        # What was taken down may have left clusters; a run forgets all that is gone at its end.
        with suppress(GatewayUnavailable):
            await parts.router.forget_gone()
    return [await _settle(parts, run, switching[run.id]) for run in runs]


async def tidy(parts: Parts) -> None:
    """Ends what an engine could not end when asked to, and what was left to a run that ended.

    A run that is to take over what drains may be cancelled before it has it.
    """
    for activation in _in_state(parts, ActivationState.DRAINING):
        if activation.replaced_by and activation.replaced_by not in parts.ledger.runs:
            await Retirement(parts, activation.replaced_by).retire(activation)
    for engine in parts.engines:
        await as_far_as_it_goes(end_strangers(parts, engine))


async def _end_left_over(parts: Parts) -> None:
    """Ends what was being taken down: no run is there to do it."""
    for activation in _in_state(parts, ActivationState.DRAINING):
        if activation.replaced_by not in parts.ledger.runs:
            await parts.stop(activation)
            await parts.ledger.write(replace(activation, state=ActivationState.GONE))
    aside = _in_state(parts, ActivationState.ASIDE)
    for activation in leaders_first(aside, parts.ledger.deployments):
        if activation.replaced_by not in parts.ledger.runs:
            await come_back(parts, activation)
    for target in list(parts.ledger.environments):
        if not parts.ledger.is_used(target) and await _was_taken_down(parts, target):
            await as_far_as_it_goes(leave(parts, target))
    parts.ledger.forget_past()


async def _was_taken_down(parts: Parts, target: Target) -> bool:
    """Whether that was the last thing that happened; after a deploy that failed it is kept."""
    newest = await parts.ledger.journal.newest_per_service(target)
    last = max(newest, key=lambda each: each.created_at, default=None)
    return last is not None and last.status is Status.STOPPED


async def _switching(parts: Parts, run: Run) -> list[Activation]:
    """The candidates of a run that was in its switch, if all of them are there to go forward."""
    deployments = _deployments(parts, run)
    is_switching = all(
        each.stage is Stage.SWITCHING_ROUTE and not each.status.is_final for each in deployments
    )
    candidates = parts.ledger.candidates(run)
    needed = {each.id for each in deployments if each.service.kind.is_long_running}
    if not is_switching or {each.deployment_id for each in candidates} != needed:
        return []
    for activation in candidates:
        if not await _is_alive(parts, activation):
            return []
    return candidates


async def _is_alive(parts: Parts, activation: Activation) -> bool:
    engine = parts.engine_behind(activation)
    service = parts.ledger.deployments[activation.deployment_id].service
    try:
        for name in activation.instance_names:
            found = await engine.adopt(name)
            is_up = found is not None and found.exit is None
            if not is_up and not await is_finished(engine, service, name):
                return False
    except EngineUnavailable as error:
        _log.warning("%s", error.message)
        return False
    return True


async def _settle(parts: Parts, run: Run, switching: list[Activation]) -> Unfinished:
    """Decides of one run whether it goes forward or back; one that was in its switch has it."""
    promotion = Promotion(parts, run)
    if any(each.is_active for each in _deployments(parts, run)):
        promotion.is_past_return = True
        return Unfinished(promotion, is_switched=True)
    if switching:
        promotion.is_past_return = True
        try:
            await promotion.switch(switching)
        except JournalError:
            raise
        except (DeploymentFailed, CompartmentError) as failure:
            _log.warning("run %s could not be taken forward: %s", run.id, failure)
        else:
            return Unfinished(promotion, is_switched=True)
    return Unfinished(promotion, is_switched=False)


def _deployments(parts: Parts, run: Run) -> list[Deployment]:
    known = parts.ledger.deployments
    return [known[each] for each in run.deployment_ids if each in known]


def _in_state(parts: Parts, state: ActivationState) -> list[Activation]:
    return [each for each in parts.ledger.activations.values() if each.state is state]
