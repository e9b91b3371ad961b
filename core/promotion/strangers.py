"""Instances that nothing is known of: what an engine could not end when it was asked to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.engines.base import Engine
    from core.promotion.parts import Parts


async def end_strangers(parts: Parts, engine: Engine) -> None:
    """Ends them.

    Raises:
        EngineUnavailable: it cannot be asked.
    """
    for name in await engine.instances():
        # Looked up now: an instance is journalled before it is started, by a run that goes on.
        if not _is_known(parts, name):
            await engine.stop(name, grace_s=parts.stop_grace_s)


async def strangers(parts: Parts, engine: Engine) -> list[str]:
    """The names of those that are left.

    Raises:
        EngineUnavailable: it cannot be asked.
    """
    return [name for name in await engine.instances() if not _is_known(parts, name)]


def _is_known(parts: Parts, name: str) -> bool:
    known = (each.instance_names for each in parts.ledger.activations.values())
    return name in parts.ledger.executions or any(name in names for names in known)
