"""Checks the instances of a service, as its project file or its image says: all have to pass."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from core.container import Protocol
from core.ending import single_error
from core.promotion import readiness
from core.promotion.container_probes import OwnCheckProbe, PortsProbe
from core.promotion.finishing import has_finished
from core.promotion.probes import probe_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from core.container import Container
    from core.engines.base import Instance, OwnCheck
    from core.model import Service
    from core.promotion.parts import Parts
    from core.promotion.probes import Probe
    from core.promotion.progress import Waiting

Result = TypeVar("Result")

_SHORTEST_S: Final = 30.0
_LONGEST_S: Final = 300.0
"""A check of a Compose service is given at least, and at most, this long."""


def has_check(service: Service, instances: Sequence[Instance]) -> bool:
    """Whether there is more to ask than that they are up."""
    if service.readiness is not None or any(each.own_health for each in instances):
        return True
    container = service.container
    return container is not None and any(_ports_probe(container, each) for each in instances)


async def look(service: Service, instances: Sequence[Instance]) -> None:
    """The one look at what has no check.

    Raises:
        DeploymentFailed: one has ended.
    """
    may_end = partial(has_finished, service)
    await _all(readiness.look(each, service.kind, may_end) for each in instances)


async def check(
    service: Service,
    instances: Sequence[Instance],
    parts: Parts,
    say: Callable[[str], None],
    waiting: Waiting,
) -> readiness.Ready:
    """Waits until all have passed; returns the slowest.

    Raises:
        DeploymentFailed: one has not.
    """
    block, container = service.readiness, service.container
    may_end = partial(has_finished, service)

    async def one(instance: Instance) -> readiness.Ready:
        if block is not None:
            probe, limit_s = probe_of(parts, block, instance), block.timeout_ms / 1000
        elif container is not None:
            probe, limit_s = _probe_of(container, instance)
        else:
            return await readiness.wait_healthy(instance, say, waiting)
        return await readiness.check(instance, probe, limit_s, say, waiting, may_end)

    return max(await _all(one(each) for each in instances), key=lambda ready: ready.seconds)


def _probe_of(container: Container, instance: Instance) -> tuple[Probe, float]:
    """The check of a Compose service, and how long it may take to pass, in seconds."""
    ports, own = _ports_probe(container, instance), instance.own_check
    if own is not None:
        return OwnCheckProbe(instance, own, ports), _limit_s(own)
    assert ports is not None  # or there is no check
    return ports, _SHORTEST_S


def _ports_probe(container: Container, instance: Instance) -> PortsProbe | None:
    known = [each.number for each in container.ports if each.protocol is not Protocol.UDP]
    found = [at for number in known if (at := instance.address_of(number)) is not None]
    return PortsProbe(found) if found else None


def _limit_s(own: OwnCheck) -> float:
    """When the engine itself would give up on it, within our bounds."""
    gives_up_s = own.start_period_s + own.retries * (own.interval_s + own.timeout_s)
    return min(max(gives_up_s, _SHORTEST_S), _LONGEST_S)


async def _all(work: Iterable[Coroutine[None, None, Result]]) -> list[Result]:
    """The results of all, or the first error; the others are cancelled then."""
    with single_error():
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    return [task.result() for task in tasks]
