"""What is live is made true again: found running, or started again in place."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import CompartmentError, EngineUnavailable
from core.events import EventType
from core.model import Health
from core.promotion.finishing import was_seen_to_finish
from core.promotion.following import leaders_first
from core.promotion.ledger import deployment_event
from core.promotion.networks import prepare_networks
from core.promotion.specs import instance_specs
from core.promotion.strangers import end_strangers
from core.records import ActivationState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Collection

    from core.engines.base import Engine, Instance, InstanceSpec
    from core.journal import Record
    from core.promotion.parts import Parts
    from core.records import Activation, Target

_log = logging.getLogger(__name__)


async def resume(parts: Parts, engine: Engine) -> None:
    """Makes what is live on an engine true again, and ends what nothing is known of.

    Done when an agent takes over, and whenever an engine answers again.
    """
    if not await prepare(parts, engine):
        return
    renewed = set[str]()
    for activation in leaders_first(live(parts), parts.ledger.deployments):
        # Runs go on meanwhile, and may have replaced it.
        if is_live(parts, activation) and parts.engine_behind(activation) is engine:
            renewed |= await revive(parts, activation, renewed)


async def prepare(parts: Parts, engine: Engine) -> bool:
    """Makes an engine ready for what is live on it; False where it cannot be reached."""
    try:
        await engine.check()
    except EngineUnavailable as error:
        await _own_up(parts, engine, error)
        return False
    await as_far_as_it_goes(end_strangers(parts, engine))
    for target in {each.target for each in parts.ledger.deployments.values() if each.is_active}:
        await as_far_as_it_goes(_share(parts, engine, target))
    return True


async def _own_up(parts: Parts, engine: Engine, error: EngineUnavailable) -> None:
    """Says that it is not known how what is live on an engine is."""
    _log.warning("%s", error.message)
    message = f"nothing is known of it: {error.message}"
    for activation in live(parts):
        if is_live(parts, activation) and parts.engine_behind(activation) is engine:
            await tell(parts, activation, Health.UNHEALTHY, message)


async def as_far_as_it_goes(work: Awaitable[None]) -> None:
    """What cannot be done for one environment must not hold up the others, nor the agent."""
    try:
        await work
    except CompartmentError as error:
        _log.warning("%s", error.message)


async def _share(parts: Parts, engine: Engine, target: Target) -> None:
    record = parts.ledger.environments.get(target)
    if record is not None and record.engine == engine.name:
        await prepare_networks(parts, engine, target)


async def revive(parts: Parts, activation: Activation, renewed: Collection[str]) -> set[str]:
    """Adopts live instances; those that died with the machine are started again, in place.

    So are those that share the network of one in `renewed`. Returns their names.
    """
    engine = parts.engine_behind(activation)
    again: list[str] = []
    try:
        found = [
            await _running(parts, activation, spec, again, renewed)
            for spec in instance_specs(parts, activation)
        ]
        message, health = _how_they_are(found, again)
    except CompartmentError as error:
        message, health = f"cannot be started again: {error.message}", Health.UNHEALTHY
    if not is_live(parts, activation):
        # Replaced meanwhile, by a run that could not know of what was just started.
        for name in again:
            await engine.stop(name, grace_s=parts.stop_grace_s)
        return set()
    await tell(parts, activation, health, message, is_news=bool(again))
    return set(again)


async def _running(
    parts: Parts,
    activation: Activation,
    spec: InstanceSpec,
    again: list[str],
    renewed: Collection[str],
) -> Instance | None:
    """The instance, started again if it does not run; its name is then in `again`.

    None: it does not run, and need not any more.
    """
    engine = parts.engine_behind(activation)
    # A run may want it to stand aside at this moment, and start its successor.
    async with parts.starting[activation.deployment_id]:
        instance = await engine.adopt(spec.name)
        is_up = instance is not None and instance.exit is None
        if is_up and spec.beside not in renewed:
            return instance
        if not is_live(parts, activation):
            return None
        if was_seen_to_finish(parts.ledger, activation, spec.name):
            return None
        again.append(spec.name)
        if is_up:  # in a network that nobody else is in any more
            await engine.stop(spec.name, grace_s=parts.grace_s(spec.service))
        # One that ends at once, as while what it calls is not there yet, is started again.
        instance = await engine.start(replace(spec, is_kept=True))
        await instance.keep()
        return instance


def _how_they_are(found: list[Instance | None], again: list[str]) -> tuple[str, Health]:
    for each in found:
        own = each.own_health if each else None
        if own is not None and own.health is Health.UNHEALTHY:
            return f"its own check says: {own.detail}", Health.UNHEALTHY
    return "started again: it was not running" if again else "it runs", Health.HEALTHY


async def tell(
    parts: Parts, activation: Activation, health: Health, message: str, *, is_news: bool = False
) -> None:
    """Tells how what is live is; nothing where that is known already, unless it is news."""
    await parts.ledger.update(lambda: _told(parts, activation, health, message, is_news=is_news))


def _told(
    parts: Parts, activation: Activation, health: Health, message: str, *, is_news: bool
) -> list[Record]:
    """Of what is still live; nothing if that is known."""
    if not is_live(parts, activation):
        return []
    deployment = parts.ledger.deployments[activation.deployment_id]
    # Of what merely runs, those who watch it know better whether it is well again.
    if not is_news and health in (deployment.health, Health.HEALTHY):
        return []
    reason = message if health is Health.UNHEALTHY else None
    event = deployment_event(
        EventType.HEALTH_CHANGED, deployment, message, health=health, healthReason=reason
    )
    return [deployment.changed(health=health, health_reason=reason), event]


def live(parts: Parts) -> list[Activation]:
    """All that is live now."""
    known = parts.ledger.activations.values()
    return [each for each in known if each.state is ActivationState.LIVE]


def is_live(parts: Parts, activation: Activation) -> bool:
    """Whether it is now, whatever it was when it was looked up."""
    found = parts.ledger.activations.get(activation.name)
    return found is not None and found.state is ActivationState.LIVE
