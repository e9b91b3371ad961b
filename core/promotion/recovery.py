"""After an agent has died: what was past the switch goes forward, everything else goes back."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.ending import to_the_end
from core.errors import CompartmentError, EngineUnavailable, JournalError
from core.events import EventType
from core.model import Health, Stage
from core.promotion.aside import come_back
from core.promotion.failure import DeploymentFailed
from core.promotion.finishing import is_finished, was_seen_to_finish
from core.promotion.following import leaders_first
from core.promotion.ledger import deployment_event
from core.promotion.networks import prepare_networks
from core.promotion.retiring import Retirement
from core.promotion.run import Promotion
from core.promotion.specs import instance_specs
from core.promotion.strangers import end_strangers
from core.records import Activation, ActivationState

if TYPE_CHECKING:
    from collections.abc import Awaitable, Collection

    from core.engines.base import Engine, Instance, InstanceSpec
    from core.journal import Record
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

    Raises:
        GatewayUnavailable: the gateway cannot serve what is live.
    """
    for engine in parts.engines:
        await resume(parts, engine)
    switching = {run.id: await _switching(parts, run) for run in parts.ledger.runs.values()}
    if parts.ledger.hosts or parts.ledger.environments:
        # What is to go forward is routed to at once: it may be already, and must not go to and fro.
        await parts.router.start([each for found in switching.values() for each in found])
    await _end_left_over(parts)
    runs = list(parts.ledger.runs.values())
    return [await _settle(parts, run, switching[run.id]) for run in runs]


async def resume(parts: Parts, engine: Engine) -> None:
    """Makes what is live on an engine true again, and ends what nothing is known of.

    Done when the agent starts, and whenever an engine answers again.
    """
    try:
        await engine.check()
    except EngineUnavailable as error:
        await _own_up(parts, engine, error)
        return
    await _as_far_as_it_goes(end_strangers(parts, engine))
    for target in {each.target for each in parts.ledger.deployments.values() if each.is_active}:
        await _as_far_as_it_goes(_prepare(parts, engine, target))
    renewed = set[str]()
    live = _in_state(parts, ActivationState.LIVE)
    for activation in leaders_first(live, parts.ledger.deployments):
        # Runs go on meanwhile, and may have replaced it.
        if _is_live(parts, activation) and parts.engine_behind(activation) is engine:
            renewed |= await _revive(parts, activation, renewed)


async def _own_up(parts: Parts, engine: Engine, error: EngineUnavailable) -> None:
    """Says that it is not known how what is live on an engine is."""
    _log.warning("%s", error.message)
    message = f"nothing is known of it: {error.message}"
    for activation in _in_state(parts, ActivationState.LIVE):
        if _is_live(parts, activation) and parts.engine_behind(activation) is engine:
            await _tell(parts, activation, Health.UNHEALTHY, message)


async def tidy(parts: Parts) -> None:
    """Ends what an engine could not end when asked to, and what was left to a run that ended.

    A run that is to take over what drains may be cancelled before it has it.
    """
    for activation in _in_state(parts, ActivationState.DRAINING):
        if activation.replaced_by and activation.replaced_by not in parts.ledger.runs:
            await Retirement(parts, activation.replaced_by).retire(activation)
    for engine in parts.engines:
        await _as_far_as_it_goes(end_strangers(parts, engine))


async def _as_far_as_it_goes(work: Awaitable[None]) -> None:
    """What cannot be done for one environment must not hold up the others, nor the agent."""
    try:
        await work
    except CompartmentError as error:
        _log.warning("%s", error.message)


async def _prepare(parts: Parts, engine: Engine, target: Target) -> None:
    record = parts.ledger.environments.get(target)
    if record is not None and record.engine == engine.name:
        await prepare_networks(parts, engine, target)


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
    parts.ledger.forget_past()


async def _revive(parts: Parts, activation: Activation, renewed: Collection[str]) -> set[str]:
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
    if not _is_live(parts, activation):
        # Replaced meanwhile, by a run that could not know of what was just started.
        for name in again:
            await engine.stop(name, grace_s=parts.stop_grace_s)
        return set()
    await _tell(parts, activation, health, message, is_news=bool(again))
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
        if not _is_live(parts, activation):
            return None
        if was_seen_to_finish(parts.ledger, activation, spec.name):
            return None
        again.append(spec.name)
        if is_up:  # in a network that nobody else is in any more
            await engine.stop(spec.name, grace_s=parts.grace_s(spec.service))
        instance = await engine.start(spec)
        await instance.keep()
        return instance


def _how_they_are(found: list[Instance | None], again: list[str]) -> tuple[str, Health]:
    for each in found:
        own = each.own_health if each else None
        if own is not None and own.health is Health.UNHEALTHY:
            return f"its own check says: {own.detail}", Health.UNHEALTHY
    return "started again: it was not running" if again else "it runs", Health.HEALTHY


async def _tell(
    parts: Parts, activation: Activation, health: Health, message: str, *, is_news: bool = False
) -> None:
    await parts.ledger.update(lambda: _told(parts, activation, health, message, is_news=is_news))


def _told(
    parts: Parts, activation: Activation, health: Health, message: str, *, is_news: bool
) -> list[Record]:
    """Of what is still live; nothing if that is known."""
    if not _is_live(parts, activation):
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


def _is_live(parts: Parts, activation: Activation) -> bool:
    """Whether it is now, whatever it was when it was looked up."""
    found = parts.ledger.activations.get(activation.name)
    return found is not None and found.state is ActivationState.LIVE


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
