"""After an agent has died: what was past the switch goes forward, everything else goes back."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import CompartmentError, EngineUnavailable, JournalError
from core.events import EventType
from core.model import Health, Stage
from core.promotion.candidate import instance_spec
from core.promotion.failure import DeploymentFailed
from core.promotion.ledger import deployment_event
from core.promotion.run import Promotion
from core.records import Activation, ActivationState

if TYPE_CHECKING:
    from core.promotion.parts import Parts
    from core.records import Deployment, Run

_log = logging.getLogger(__name__)
_AGENT_ENDED = "the agent ended before the switch; everything that was live still serves"


async def recover(parts: Parts) -> list[Promotion]:
    """Makes what is live true again; returns the runs that still have something to drain.

    Raises:
        GatewayUnavailable: the gateway cannot serve what is live.
    """
    await _end_strangers(parts)
    for activation in _in_state(parts, ActivationState.LIVE):
        await _revive(parts, activation)
    switching = {run.id: await _switching(parts, run) for run in parts.ledger.runs.values()}
    if parts.ledger.hosts:
        # What is to go forward is routed to at once: it may be already, and must not go to and fro.
        await parts.router.start([each for found in switching.values() for each in found])
    await _end_left_over(parts)
    return [
        promotion
        for run in list(parts.ledger.runs.values())
        if (promotion := await _settle(parts, run, switching[run.id]))
    ]


async def _end_strangers(parts: Parts) -> None:
    for name in await parts.engine.instances():
        if name not in parts.ledger.activations:
            await parts.engine.stop(name, grace_s=parts.stop_grace_s)


async def _end_left_over(parts: Parts) -> None:
    """Ends what was being taken down: no run is there to do it."""
    for activation in _in_state(parts, ActivationState.DRAINING):
        if activation.replaced_by not in parts.ledger.runs:
            await parts.engine.stop(activation.name, grace_s=parts.stop_grace_s)
            await parts.ledger.write(replace(activation, state=ActivationState.GONE))


async def _revive(parts: Parts, activation: Activation) -> None:
    """Adopts a live instance; one that died with the machine is started again, where it was."""
    deployment = parts.ledger.deployments[activation.deployment_id]
    try:
        instance = await parts.engine.adopt(activation.name)
        if instance is not None and instance.exit is None:
            return
        instance = await parts.engine.start(instance_spec(parts, activation))
        await instance.keep()
        message, health = "started again: it was not running when the agent came up", Health.HEALTHY
    except CompartmentError as error:
        message, health = f"cannot be started again: {error.message}", Health.UNHEALTHY
    await parts.ledger.write(
        deployment.changed(health=health),
        deployment_event(EventType.HEALTH_CHANGED, deployment, message, health=health),
    )


async def _switching(parts: Parts, run: Run) -> list[Activation]:
    """The candidates of a run that was in its switch, if all of them are there to go forward."""
    deployments = _deployments(parts, run)
    is_switching = all(
        each.stage is Stage.SWITCHING_ROUTE and not each.status.is_final for each in deployments
    )
    candidates = [
        each
        for each in _in_state(parts, ActivationState.CANDIDATE)
        if each.deployment_id in run.deployment_ids
    ]
    if not is_switching or {each.deployment_id for each in candidates} != set(run.deployment_ids):
        return []
    for activation in candidates:
        if not await _is_alive(parts, activation):
            return []
    return candidates


async def _is_alive(parts: Parts, activation: Activation) -> bool:
    try:
        instance = await parts.engine.adopt(activation.name)
    except EngineUnavailable as error:
        _log.warning("%s", error.message)
        return False
    return instance is not None and instance.exit is None


async def _settle(parts: Parts, run: Run, switching: list[Activation]) -> Promotion | None:
    """Takes one unfinished run forward or back."""
    promotion = Promotion(parts, run)
    if any(each.is_active for each in _deployments(parts, run)):
        promotion.is_past_return = True
        return promotion
    if switching:
        promotion.is_past_return = True
        try:
            await promotion.switch(switching)
        except JournalError:
            raise
        except (DeploymentFailed, CompartmentError) as failure:
            _log.warning("run %s could not be taken forward: %s", run.id, failure)
        else:
            return promotion
    await promotion.go_back(_AGENT_ENDED, "agent_ended")
    return None


def _deployments(parts: Parts, run: Run) -> list[Deployment]:
    known = parts.ledger.deployments
    return [known[each] for each in run.deployment_ids if each in known]


def _in_state(parts: Parts, state: ActivationState) -> list[Activation]:
    return [each for each in parts.ledger.activations.values() if each.state is state]
