"""Compose services that may end: a script without a restart policy has done what it was to do.

What serves a port, as was seen when it ran, is no script.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import EngineUnavailable
from core.records import ActivationState

if TYPE_CHECKING:
    from core.engines.base import Engine, Exit
    from core.journal import Record
    from core.model import Service
    from core.promotion.ledger import Ledger
    from core.records import Activation


def serves(ledger: Ledger, activation: Activation) -> bool:
    """Whether a port of it is known by now; some are seen only after a while."""
    return bool(ledger.activations.get(activation.name, activation).ports)


def has_finished(service: Service, ended: Exit | None, *, is_served: bool = False) -> bool:
    """Whether an instance has ended as it may: with exit code 0, and nobody starts it again."""
    may_finish = service.container is not None and service.container.may_finish and not is_served
    return may_finish and ended is not None and ended.code == 0 and not ended.was_asked


def was_seen_to_finish(ledger: Ledger, activation: Activation, name: str) -> bool:
    """The same of an instance that ended at some time before.

    A program that ends well when it is asked to cannot be told later from one that was done.
    """
    return name in ledger.activations.get(activation.name, activation).finished


def with_finished(ledger: Ledger, activation: Activation, name: str) -> list[Record]:
    """What keeps that an instance was seen to finish; nothing of what is not live any more."""
    live = ledger.activations.get(activation.name)
    if live is None or live.state is not ActivationState.LIVE or name in live.finished:
        return []
    return [replace(live, finished=(*live.finished, name))]


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
