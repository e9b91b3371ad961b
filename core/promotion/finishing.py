"""Compose services that may end: a script without a restart policy has done what it was to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import EngineUnavailable

if TYPE_CHECKING:
    from core.engines.base import Engine, Exit
    from core.model import Service


def has_finished(service: Service, ended: Exit | None) -> bool:
    """Whether an instance has ended as it may: with exit code 0, and nobody starts it again."""
    may_finish = service.container is not None and service.container.may_finish
    return may_finish and ended is not None and ended.code == 0


async def is_finished(engine: Engine, service: Service, name: str) -> bool:
    """The same of an instance that does not run, also of one that ended while no agent ran."""
    if service.container is None or not service.container.may_finish:
        return False
    try:
        return has_finished(service, await engine.exit_of(name))
    except EngineUnavailable:
        return False
