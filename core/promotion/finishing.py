"""Compose services that may end: a script without a restart policy has done what it was to do.

What serves a port, as was seen when it ran, is no script.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import EngineUnavailable

if TYPE_CHECKING:
    from core.engines.base import Engine, Exit
    from core.model import Service
    from core.promotion.ledger import Ledger
    from core.records import Activation


def serves(ledger: Ledger, activation: Activation) -> bool:
    """Whether a port of it is known by now; some are seen only after a while."""
    return bool(ledger.activations.get(activation.name, activation).ports)


def has_finished(service: Service, ended: Exit | None, *, is_served: bool = False) -> bool:
    """Whether an instance has ended as it may: with exit code 0, and nobody starts it again."""
    may_finish = service.container is not None and service.container.may_finish and not is_served
    return may_finish and ended is not None and ended.code == 0


async def is_finished(
    engine: Engine, service: Service, name: str, *, is_served: bool = False
) -> bool:
    """The same of an instance that does not run, also of one that ended while no agent ran."""
    if service.container is None or not service.container.may_finish or is_served:
        return False
    try:
        return has_finished(service, await engine.exit_of(name))
    except EngineUnavailable:
        return False
