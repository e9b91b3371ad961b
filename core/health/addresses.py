"""Addresses that the Docker Engine chooses: on a network of somebody else none can be asked for.

A container there may get another one whenever it is started again, and its old one somebody else.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import GatewayUnavailable
from core.records import ActivationState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.engines.base import Instance
    from core.journal import Record
    from core.promotion.parts import Parts
    from core.records import Activation, ServedPort


class AddressWatch:
    """Follows where the instances of one live activation answer."""

    def __init__(self, parts: Parts, activation: Activation) -> None:
        self._parts = parts
        self._name = activation.name
        self._instance_names = activation.instance_names
        self._engine = parts.engine_behind(activation)

    async def follow(self) -> None:
        """Leads the gateway to where they are, until cancelled."""
        adopted = [await self._engine.adopt(name) for name in self._instance_names]
        instances = [each for each in adopted if each is not None]
        if len(instances) < len(adopted):
            return  # who starts it again watches it anew
        await self._compare(instances)
        async with asyncio.TaskGroup() as group:
            for instance in instances:
                group.create_task(self._follow_one(instance, instances))

    async def _follow_one(self, instance: Instance, all_: Sequence[Instance]) -> None:
        life = instance.life
        while True:
            life = await instance.next_life(life)
            if life.is_up:
                await self._compare(all_)

    async def _compare(self, instances: Sequence[Instance]) -> None:
        moved = False

        def found() -> list[Record]:
            nonlocal moved
            known = self._parts.ledger.activations.get(self._name)
            if known is None or known.state is not ActivationState.LIVE:
                return []
            there = _where(known, instances)
            moved = there != known
            return [there] if moved else []

        await self._parts.ledger.update(found)
        if moved:
            # A gateway that does not run reads the ledger when it is started.
            with suppress(GatewayUnavailable):
                await self._parts.router.refresh()


def _where(known: Activation, instances: Sequence[Instance]) -> Activation:
    """The activation with the addresses of now; as it was where one cannot be told."""
    ports = [_port(each, instances) for each in known.ports]
    if not all(each.address[0] for each in instances):
        return known
    return replace(known, addresses=tuple(each.address for each in instances), ports=tuple(ports))


def _port(port: ServedPort, instances: Sequence[Instance]) -> ServedPort:
    found = [each.address_of(port.number) for each in instances]
    there = tuple(each for each in found if each is not None)
    return replace(port, addresses=there) if len(there) == len(found) else port
