"""What was live comes back while nobody is served: in order, and ready before the gateway opens.

So it is after a reboot, and whenever the gateway has ended together with its agent.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Final

from core.ending import single_error
from core.errors import CompartmentError, EngineUnavailable
from core.model import Health, Readiness, ReadinessType
from core.promotion import checking
from core.promotion.failure import DeploymentFailed
from core.promotion.following import network_of
from core.promotion.progress import WaitKind
from core.promotion.reviving import is_live, live, prepare, revive, tell

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.engines.base import Engine, Instance
    from core.model import Service
    from core.promotion.parts import Parts
    from core.records import Activation

_log = logging.getLogger(__name__)

_ENGINE_LIMIT_S: Final = 30.0
"""How long an engine may take to answer after a boot; what is live on another one waits with it."""

_ENGINE_PAUSE_S: Final = 0.25

_LONGEST_S: Final = 120.0
"""How long all is waited for: one service must not keep every project from being served."""


async def bring_back(parts: Parts) -> None:
    """Makes everything that is live run and ready, each after what it depends on.

    What does not get ready within the limit of its readiness check, and in two minutes at most, is
    told to be unhealthy, and holds up the others no longer.
    """
    coming = live(parts)
    with single_error():
        async with asyncio.TaskGroup() as group:
            for engine in parts.engines:
                group.create_task(_await_engine(parts, engine, coming))
    return_of = _Return(parts, coming)
    with single_error():
        async with asyncio.TaskGroup() as group:
            for activation in coming:
                group.create_task(return_of.carry_out(activation))


async def _await_engine(parts: Parts, engine: Engine, coming: Sequence[Activation]) -> None:
    """Engines are started by the same boot."""
    if any(parts.engine_behind(each) is engine for each in coming):
        try:
            async with asyncio.timeout(_ENGINE_LIMIT_S):
                while not await _answers(engine):
                    await asyncio.sleep(_ENGINE_PAUSE_S)
        except TimeoutError:
            _log.warning("the %s engine is not there after %g s", engine.name, _ENGINE_LIMIT_S)
    await prepare(parts, engine)


async def _answers(engine: Engine) -> bool:
    try:
        await engine.check()
    except EngineUnavailable:
        return False
    return True


class _Return:
    """What has come back so far. `carry_out` runs for all activations at the same time."""

    def __init__(self, parts: Parts, coming: Sequence[Activation]) -> None:
        self._parts = parts
        self._leaders = _leaders(parts, coming)
        self._is_back = {each.name: asyncio.Event() for each in coming}
        self._deadline = asyncio.get_running_loop().time() + _LONGEST_S
        self._renewed = set[str]()
        """The instances that were started again."""

    async def carry_out(self, activation: Activation) -> None:
        """Starts one again where it does not run, and waits until it is ready, or cannot be."""
        try:
            for leader in self._leaders[activation.name]:
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(self._deadline):
                        await self._is_back[leader].wait()
            if is_live(self._parts, activation):
                renewed = await revive(self._parts, activation, self._renewed)
                self._renewed |= renewed
                await _until_ready(self._parts, activation, self._deadline)
        finally:
            self._is_back[activation.name].set()


async def _until_ready(parts: Parts, activation: Activation, deadline: float) -> None:
    deployment = parts.ledger.deployments[activation.deployment_id]
    engine = parts.engine_of(deployment)
    try:
        adopted = [await engine.adopt(name) for name in activation.instance_names]
        instances = [each for each in adopted if each is not None]
        if not instances:
            return
        with parts.progress.waits(WaitKind.READINESS, deployment.id) as waiting:

            def say(text: str) -> None:
                parts.ledger.log.write(deployment.id, text)

            service = _checked(deployment.service, instances)
            async with asyncio.timeout_at(deadline):
                if checking.has_check(service, instances):
                    await checking.check(service, instances, parts, say, waiting)
                else:
                    await checking.look(service, instances)
    except TimeoutError:
        reason = f"it was not ready {_LONGEST_S:g} s after everything was started"
        await tell(parts, activation, Health.UNHEALTHY, reason)
    except (CompartmentError, DeploymentFailed) as error:
        await tell(parts, activation, Health.UNHEALTHY, f"it did not come back: {error}")


def _checked(service: Service, instances: Sequence[Instance]) -> Service:
    """The service with a check, where requests can be sent to it: to be up is not enough for that.

    A deploy does without: there, what serves already goes on until somebody has looked.
    """
    if checking.has_check(service, instances) or not service.kind.is_routable:
        return service
    return replace(service, readiness=Readiness(type=ReadinessType.TCP))


def _leaders(parts: Parts, coming: Sequence[Activation]) -> Mapping[str, Sequence[str]]:
    """What each activation waits for, by name: what it depends on, and whose network it shares."""
    deployments = [parts.ledger.deployments[each.deployment_id] for each in coming]
    names = {
        (deployment.target, deployment.service.name): activation.name
        for activation, deployment in zip(coming, deployments, strict=True)
    }
    found: dict[str, list[str]] = {}
    for activation, deployment in zip(coming, deployments, strict=True):
        shared = network_of(deployment.service)
        wanted = [each.service for each in deployment.service.depends_on]
        wanted += [shared] if shared else []
        known = [names.get((deployment.target, name)) for name in wanted]
        found[activation.name] = [name for name in known if name is not None]
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        # Each was deployed in a run of its own: together they never had an order.
        _log.warning("services wait for each other, all start at once: %s", error.args[1])
        return {name: [] for name in found}
    return found
