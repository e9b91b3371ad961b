"""What must not run beside its successor: it stands aside, and comes back if that one fails."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import CompartmentError, GatewayUnavailable
from core.events import EventType
from core.lines import stamp
from core.model import Health
from core.promotion import checking
from core.promotion.failure import DeploymentFailed
from core.promotion.finishing import is_finished, serves
from core.promotion.ledger import deployment_event
from core.promotion.networks import prepare_networks
from core.promotion.progress import WaitKind
from core.promotion.retiring import Retirement
from core.promotion.serving import is_served
from core.promotion.specs import instance_specs
from core.promotion.strangers import end_strangers, strangers
from core.records import Activation, ActivationState

if TYPE_CHECKING:
    from core.engines.base import Instance, InstanceSpec
    from core.promotion.parts import Parts
    from core.records import Deployment, Run


async def stand_aside(parts: Parts, run: Run, previous: Deployment) -> None:
    """Takes what is live out of the routes, drains and ends it; the run counts what that has cut.

    Journalled first: an agent that dies now leaves something that comes back.

    Raises:
        EngineUnavailable: nothing was changed.
    """
    live = parts.ledger.live(previous.id)
    if live is None:
        return
    await parts.engine_behind(live).check()
    aside = replace(live, state=ActivationState.ASIDE, replaced_by=run.id)
    reason = "stands aside for its successor"
    event = deployment_event(EventType.STOOD_ASIDE, previous, reason, run_id=run.id)
    waiting = previous.changed(health=Health.PENDING, health_reason=reason)
    # Whoever starts it again after an engine was away has started it by now, or does not any more.
    async with parts.starting[previous.id]:
        await parts.ledger.write(aside, waiting, event)
    retirement = Retirement(parts, run.id)
    if not is_served(previous, aside):
        await retirement.end(aside)
        await _check_gone(parts, aside)
        return
    # A gateway that does not run serves nobody; one that is started reads the ledger.
    with suppress(GatewayUnavailable):
        await parts.router.refresh()
    cut = await retirement.stop_and_count(aside, await retirement.drain(aside))
    await _check_gone(parts, aside)
    await parts.ledger.update(lambda: [_with_cut(parts.ledger.runs[run.id], cut)])


async def _check_gone(parts: Parts, aside: Activation) -> None:
    engine = parts.engine_behind(aside)
    left = set(aside.instance_names).intersection(await engine.instances())
    if left:
        raise CompartmentError(
            f"{min(left)} does not end, and must not run beside its successor",
            hint="see whether the engine answers: compartment doctor",
        )


def _with_cut(run: Run, cut: int) -> Run:
    return run.changed(cut_requests=run.cut_requests + cut)


async def come_back(parts: Parts, aside: Activation) -> str | None:
    """Makes live again what stood aside; returns why it does not serve, if it does not.

    Whatever comes of it, it is what is live now, under its restart policy.
    """
    deployment = parts.ledger.deployments[aside.deployment_id]
    reason = await _start_again(parts, aside)
    health = Health.UNHEALTHY if reason else Health.HEALTHY
    message = reason or f"{deployment.id} serves again: its successor failed"
    live = replace(
        aside, state=ActivationState.LIVE, replaced_by=None, started_at=stamp(), finished=()
    )
    event = deployment_event(
        EventType.CAME_BACK, deployment, message, run_id=aside.replaced_by, health=health
    )
    changed = deployment.changed(health=health, health_reason=reason)
    await parts.ledger.write(live, changed, event)
    with suppress(GatewayUnavailable):
        await parts.router.refresh()
    return reason


async def _start_again(parts: Parts, aside: Activation) -> str | None:
    deployment = parts.ledger.deployments[aside.deployment_id]
    engine = parts.engine_behind(aside)
    try:
        # It may be on its way out still, as its successor may be: neither must be there twice.
        await parts.stop(aside)
        await _end_successors(parts, aside)
        await prepare_networks(parts, engine, deployment.target, ended=aside.replaced_by)
    except CompartmentError as error:
        return f"it was not started again: {error}"
    specs, reason = instance_specs(parts, aside), None
    try:
        instances = tuple([await _start(parts, aside, spec) for spec in specs])
        await _check(parts, deployment, instances)
    except (CompartmentError, DeploymentFailed) as error:
        reason = f"it did not come back: {error}"
    # From now on its restart policy tries, too.
    is_served = serves(parts.ledger, aside)
    with suppress(CompartmentError):
        for spec in specs:
            if not await is_finished(engine, deployment.service, spec.name, is_served=is_served):
                await (await _start(parts, aside, spec)).keep()
    return reason


async def _end_successors(parts: Parts, aside: Activation) -> None:
    """An engine that was away for a moment has not ended what it was asked to end."""
    engine = parts.engine_behind(aside)
    await end_strangers(parts, engine)
    run = parts.ledger.runs.get(aside.replaced_by or "")
    for name in await strangers(parts, engine):
        if run and name.partition(".")[0] in run.deployment_ids:
            raise CompartmentError(f"its successor {name} does not end")


async def _start(parts: Parts, activation: Activation, spec: InstanceSpec) -> Instance:
    """Its restart policy does not apply yet, so that an end is seen at once."""
    engine = parts.engine_behind(activation)
    instance = await engine.adopt(spec.name)
    if instance is not None and instance.exit is None:
        return instance
    return await engine.start(spec)


async def _check(parts: Parts, deployment: Deployment, instances: tuple[Instance, ...]) -> None:
    if not checking.has_check(deployment.service, instances):
        await checking.look(deployment.service, instances)
        return

    def say(text: str) -> None:
        parts.ledger.log.write(deployment.id, text)

    with parts.progress.waits(WaitKind.READINESS, deployment.id) as waiting:
        await checking.check(deployment.service, instances, parts, say, waiting)
