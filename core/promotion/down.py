"""Taking services down: out of the routes, drained, stopped. Their history stays."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from core.ending import single_error
from core.errors import CompartmentError, GatewayUnavailable, NotFound, UsageError
from core.events import EventType
from core.promotion.drain import drain
from core.promotion.ledger import deployment_event
from core.promotion.networks import prepare_networks
from core.promotion.progress import WaitKind
from core.promotion.serving import is_served
from core.promotion.states import Move, move
from core.records import Activation, ActivationState

if TYPE_CHECKING:
    from core.journal import Record
    from core.promotion.parts import Parts
    from core.promotion.requests import Down
    from core.records import Deployment, Target


async def take_down(parts: Parts, request: Down) -> list[str]:
    """Stops the active deployments asked for; returns their services.

    Raises:
        UsageError: volumes of some services only are to be deleted.
        NotFound: the environment is not deployed, or a named service is not active.
        EngineUnavailable: nothing could be stopped, and nothing was changed.
    """
    ledger = parts.ledger
    if request.with_volumes and request.services:
        raise UsageError(
            "volumes are deleted with all services of an environment only",
            hint="name no service, or leave --volumes out",
        )
    if request.with_volumes and request.target not in ledger.environments:
        # They outlive what they were made for, and who has taken that down may want them gone.
        for each in parts.engines:
            await each.clear(request.target, with_volumes=True)
        return []
    active = _active(parts, request)
    engine = parts.engines.of(ledger.environments[request.target].engine)
    await engine.check()
    names = request.services or tuple(sorted(active))
    records: list[Record] = []
    draining: list[Activation] = []
    for name in names:
        stopped = move(active[name], Move.STOP)
        message = "taken down"
        records += [stopped, deployment_event(EventType.SERVICE_STOPPED, stopped, message)]
        live = ledger.live(stopped.id)
        if live is not None:
            draining.append(replace(live, state=ActivationState.DRAINING))
    await ledger.write(*records, *draining)
    if draining:
        # Without a gateway nothing is routed; one that is started reads the ledger.
        with suppress(GatewayUnavailable):
            await parts.router.refresh()
    with single_error():
        async with asyncio.TaskGroup() as group:
            for activation in draining:
                group.create_task(_end(parts, activation))
            told = "its service was taken down"
            group.create_task(parts.executions.cancel_all(request.target, names, told))
    with suppress(GatewayUnavailable):
        await parts.router.forget_gone()
    if ledger.active(request.target):
        # Networks that are too many lose nothing: the next run leaves them.
        with suppress(CompartmentError):
            await prepare_networks(parts, engine, request.target)
    else:
        await leave(parts, request.target, with_volumes=request.with_volumes)
    ledger.forget_past()
    return list(names)


async def leave(parts: Parts, target: Target, *, with_volumes: bool = False) -> None:
    """Forgets an environment that nothing is active in, with its networks; its history stays.

    Raises:
        EngineUnavailable: it cannot be cleared now, and is still known.
    """
    engine = parts.engines.of(parts.ledger.environments[target].engine)
    await engine.clear(target, with_volumes=with_volumes)
    await parts.ledger.forget_environment(target)


def _active(parts: Parts, request: Down) -> dict[str, Deployment]:
    """What is active; all that is to be taken down is.

    Raises:
        NotFound: the environment is not deployed, or a named service is not active.
    """
    if request.target not in parts.ledger.environments:
        raise NotFound(f"{request.target} is not deployed", code="environment_not_found")
    active = parts.ledger.active(request.target)
    for name in request.services:
        if name not in active:
            raise NotFound(
                f"service {name} is not active in {request.target}", code="service_not_found"
            )
    return active


async def _end(parts: Parts, activation: Activation) -> None:
    deployment = parts.ledger.deployments[activation.deployment_id]
    service = deployment.service
    if is_served(deployment, activation):
        with parts.progress.waits(WaitKind.DRAIN, activation.deployment_id) as waiting:
            await drain(parts.router.gateway, activation.name, service.drain, waiting)
    await parts.stop(activation)
    await parts.ledger.write(replace(activation, state=ActivationState.GONE))
