"""The networks of all environments: one each, which do not see each other.

All is found by its labels, also by an agent after the one that made it; what others remove or
stop is mended at once.
"""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.ending import single_error
from core.engines.docker.environment_network import EnvironmentNetwork
from core.engines.docker.holders import Holders
from core.engines.docker.labels import ENVIRONMENT, HOME, PROJECT, ROLE, Role, only
from core.errors import CompartmentError, EngineUnavailable
from core.records import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from core.engines.base import Holder
    from core.engines.docker.connection import Docker, Json

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Attachment:
    """How an instance is attached: to which network, at which address, under which names."""

    network: str
    network_id: str
    address: str
    aliases: tuple[str, ...]


class Networks:
    """All networks of one home on an engine.

    `holds` is whether names can have holders here; without, they are aliases of the instances.
    `moved` is called when a holder that was known is gone, or is somewhere else.
    """

    def __init__(
        self, docker: Docker, home: str, *, holds: bool, moved: Callable[[], None]
    ) -> None:
        self._docker = docker
        self._home = home
        self._holders = Holders(docker, home) if holds else None
        self._moved = moved
        self._networks: dict[Target, EnvironmentNetwork] = {}
        self._disturbed: set[Target] = set()
        self._woken = asyncio.Event()

    def _of(self, target: Target) -> EnvironmentNetwork:
        if target not in self._networks:
            self._networks[target] = EnvironmentNetwork(
                self._docker, self._home, target, self._holders, self._moved
            )
        return self._networks[target]

    async def run(self) -> None:
        """Mends what `listen` hears of, until it is cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._disturbed:
                # An engine that is lost is looked through when it is back.
                with suppress(EngineUnavailable):
                    await self._mend(self._disturbed.pop())

    async def resync(self) -> None:
        """Compares all with the engine, and mends it: something may have been missed.

        Raises:
            EngineUnavailable: it cannot be reached.
        """
        filters = json.dumps(only(self._home, Role.NETWORK))
        for described in await self._docker.get("/networks", filters=filters):
            target = _target(described["Labels"])
            if target not in self._networks:
                self._of(target).is_wanted = True
        with single_error():
            async with asyncio.TaskGroup() as group:
                for target in self._networks:
                    group.create_task(self._mend(target))

    async def _mend(self, target: Target) -> None:
        try:
            await self._networks[target].mend()
        except EngineUnavailable:
            raise
        except CompartmentError as error:
            _log.warning("the network of %s cannot be mended: %s", target, error.message)

    def listen(self, event: Json) -> None:
        """Takes notice of an event of the engine."""
        actor = event.get("Actor") or {}
        attributes: Mapping[str, str] = actor.get("Attributes") or {}
        if event.get("Type") == "network":
            self._hear_of_network(event["Action"], actor["ID"], attributes.get("container", ""))
        elif event.get("Type") == "container" and self._is_holder(attributes):
            self._hear_of_holder(event["Action"], actor["ID"], _target(attributes))

    def _is_holder(self, labels: Mapping[str, str]) -> bool:
        return labels.get(HOME) == self._home and labels.get(ROLE) == Role.HOLDER

    def _hear_of_holder(self, action: str, container_id: str, target: Target) -> None:
        network = self._networks.get(target)
        if network is None:
            return
        if action in ("die", "destroy"):
            network.lose_holder(container_id)
            self._disturb(target)
        elif action == "start" and not network.has_holder(container_id):
            self._disturb(target)

    def _hear_of_network(self, action: str, network_id: str, container_id: str) -> None:
        for target, network in self._networks.items():
            if network.network is None or network.network.id != network_id:
                continue
            if action == "destroy":
                network.network = None
                self._disturb(target)
            elif action == "disconnect" and network.lose_holder(container_id):
                self._disturb(target)

    def _disturb(self, target: Target) -> None:
        self._disturbed.add(target)
        self._woken.set()

    async def prepare(self, target: Target, names: Sequence[str]) -> None:
        """Makes the network of an environment, and holders for the names of its services.

        Asks the engine nothing when all is known to be there. What was removed by hand is made
        again, with the same addresses where they are still free.

        Raises:
            CompartmentError: no subnet, or no address, is left.
        """
        await self._of(target).prepare(names)

    def holder(self, target: Target, service_name: str) -> Holder | None:
        """Where the name of a service leads to; None while it leads nowhere."""
        network = self._networks.get(target)
        return network.holder(service_name) if network else None

    async def attach(
        self, target: Target, service_name: str, taken: Collection[str], wanted: str | None
    ) -> Attachment:
        """Reserves a fixed address for an instance, until `release_address`.

        `taken` must not be given out; `wanted` is the one that it must have.

        Raises:
            CompartmentError: there is no network, no address is left, or not the wanted one.
        """
        network, address = await self._of(target).attach(taken, wanted)
        aliases = () if self._holders else (service_name,)
        return Attachment(network.name, network.id, address, aliases)

    def release_address(self, address: str) -> None:
        """Lets an address be given out again, now that its container is removed."""
        for network in self._networks.values():
            network.release(address)

    async def clear(self, target: Target) -> None:
        """Removes the holders of an environment, then its network.

        A network that containers of others are attached to stays, and the log says so.
        """
        await self._of(target).clear()


def _target(labels: Mapping[str, str]) -> Target:
    return Target(labels[PROJECT], labels[ENVIRONMENT])
