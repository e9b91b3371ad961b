"""Checks the instances of a service, as its project file or its image says: all have to pass."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from core.ending import single_error
from core.promotion import readiness
from core.promotion.probes import probe_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from core.engines.base import Instance
    from core.model import Service
    from core.promotion.parts import Parts
    from core.promotion.progress import Waiting

Result = TypeVar("Result")


def has_check(service: Service, instances: Sequence[Instance]) -> bool:
    """Whether there is more to ask than that they are up."""
    return service.readiness is not None or any(each.own_health for each in instances)


async def look(service: Service, instances: Sequence[Instance]) -> None:
    """The one look at what has no check.

    Raises:
        DeploymentFailed: one has ended.
    """
    await _all(readiness.look(each, service.kind) for each in instances)


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
    block = service.readiness

    async def one(instance: Instance) -> readiness.Ready:
        if block is None:
            return await readiness.wait_healthy(instance, say, waiting)
        probe = probe_of(parts, block, instance)
        return await readiness.check(instance, probe, block.timeout_ms / 1000, say, waiting)

    return max(await _all(one(each) for each in instances), key=lambda ready: ready.seconds)


async def _all(work: Iterable[Coroutine[None, None, Result]]) -> list[Result]:
    """The results of all, or the first error; the others are cancelled then."""
    with single_error():
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    return [task.result() for task in tasks]
