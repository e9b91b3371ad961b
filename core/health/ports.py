"""Ports that a live Compose service begins to listen on after it was taken for ready.

A file need not name them. Until they are seen, calls by the service's name find nobody there.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from core.promotion import looking
from core.records import ActivationState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.container import Container
    from core.engines.base import Instance
    from core.journal import Record
    from core.promotion.parts import Parts
    from core.records import Activation, ServedPort

_OFTEN_S: Final = 0.5
_OFTEN_FOR_S: Final = 60.0
"""Within this even a slow server listens."""

_SELDOM_S: Final = 5.0


class PortWatch:
    """Follows what one live activation listens on, where its file says nothing of it."""

    def __init__(self, parts: Parts, activation: Activation) -> None:
        self._parts = parts
        self._activation = activation
        self._engine = parts.engine_behind(activation)

    async def follow(self) -> None:
        """Leads to each port that is new, until cancelled; ends where there is none to look for."""
        deployment = self._parts.ledger.deployments[self._activation.deployment_id]
        container = deployment.service.container
        # Elsewhere names lead to the containers themselves, whatever they listen on.
        if container is None or container.ports or not self._engine.holds_names:
            return
        began = time.monotonic()
        while True:
            await self._look(container)
            is_young = time.monotonic() - began < _OFTEN_FOR_S
            await asyncio.sleep(_OFTEN_S if is_young else _SELDOM_S)

    async def _look(self, container: Container) -> None:
        instances = await self._instances()
        known = self._known()
        if not instances or known is None:
            return
        found = await looking.look(container, instances, known.ports)
        there = {each.number for each in known.ports}
        added = [each for each in found if each.number not in there]
        if added:
            await self._parts.ledger.update(lambda: self._with(added))
            await self._parts.router.open_entrances()

    async def _instances(self) -> list[Instance]:
        adopted = [await self._engine.adopt(name) for name in self._activation.instance_names]
        return [each for each in adopted if each is not None and each.exit is None]

    def _known(self) -> Activation | None:
        found = self._parts.ledger.activations.get(self._activation.name)
        return found if found and found.state is ActivationState.LIVE else None

    def _with(self, added: Sequence[ServedPort]) -> list[Record]:
        known = self._known()
        return [replace(known, ports=(*known.ports, *added))] if known else []
