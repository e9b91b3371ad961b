"""The networks of all environments, which do not see each other.

An environment of a `compartment.yml` has one. One of a Compose file has those that the file
describes, which do not see each other either.

All is found by its labels, also by an agent after the one that made it; what others remove or
stop is mended at once, and what cannot be mended is tried again.
"""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from core.ending import single_error
from core.engines.docker.environment_network import EnvironmentNetwork
from core.engines.docker.holders import Holders
from core.engines.docker.labels import ENVIRONMENT, HOME, NETWORK, PROJECT, ROLE, Role, only
from core.engines.docker.network import key_of, labelled
from core.engines.docker.occupants import addresses_in_use
from core.engines.docker.retries import Retries
from core.errors import CompartmentError, EngineUnavailable
from core.records import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from core.engines.base import Holder, WantedNetwork
    from core.engines.docker.attachments import Attachment, Joining
    from core.engines.docker.connection import Docker, Json

_log = logging.getLogger(__name__)

Place = tuple[Target, str]
"""Which network: its environment, and its key there."""


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
        self._networks: dict[Place, EnvironmentNetwork] = {}
        self._disturbed: set[Place] = set()
        self._woken = asyncio.Event()
        self._retries = Retries(self._disturb)
        self._complaints: dict[Place, str] = {}
        """Why one cannot be mended, as the log has it."""

    def _at(self, place: Place) -> EnvironmentNetwork:
        if place not in self._networks:
            self._networks[place] = EnvironmentNetwork(
                self._docker, self._home, *place, self._holders, self._moved
            )
        return self._networks[place]

    def _of(self, target: Target) -> dict[str, EnvironmentNetwork]:
        """The networks of an environment that are known, by their keys."""
        return {key: each for (of, key), each in self._networks.items() if of == target}

    async def run(self) -> None:
        """Mends what `listen` hears of, and what is not whole yet, until it is cancelled."""
        while True:
            await self._woken.wait()
            self._woken.clear()
            while self._disturbed:
                with suppress(EngineUnavailable):  # it is tried again
                    await self._mend(self._disturbed.pop())

    async def resync(self) -> None:
        """Compares all with the engine, and mends it: something may have been missed.

        Raises:
            EngineUnavailable: it cannot be reached.
        """
        self._retries.begin_anew()
        filters = json.dumps(only(self._home, Role.NETWORK))
        for described in await self._docker.get("/networks", filters=filters):
            place = _place(described["Labels"])
            if place not in self._networks:
                self._at(place).is_wanted = True
        with single_error():
            async with asyncio.TaskGroup() as group:
                for place in self._networks:
                    group.create_task(self._mend(place))

    async def _mend(self, place: Place) -> None:
        is_whole = False
        try:
            await self._networks[place].mend()
            is_whole = self._networks[place].is_whole
            self._complaints.pop(place, None)
        except EngineUnavailable:
            raise
        except CompartmentError as error:
            self._complain(place, error.message)
        finally:
            self._retries.note(place, is_right=is_whole)

    def _complain(self, place: Place, why: str) -> None:
        """Says it once, however often it is tried."""
        if self._complaints.get(place) != why:
            self._complaints[place] = why
            _log.warning("the network of %s cannot be mended: %s", place[0], why)

    def listen(self, event: Json) -> None:
        """Takes notice of an event of the engine."""
        actor = event.get("Actor") or {}
        attributes: Mapping[str, str] = actor.get("Attributes") or {}
        if event.get("Type") == "network":
            self._hear_of_network(event["Action"], actor["ID"], attributes.get("container", ""))
        elif event.get("Type") == "container" and self._is_holder(attributes):
            self._hear_of_holder(event["Action"], actor["ID"], _place(attributes))

    def _is_holder(self, labels: Mapping[str, str]) -> bool:
        return labels.get(HOME) == self._home and labels.get(ROLE) == Role.HOLDER

    def _hear_of_holder(self, action: str, container_id: str, place: Place) -> None:
        network = self._networks.get(place)
        if network is None:
            return
        if action in ("die", "destroy"):
            network.lose_holder(container_id)
            self._disturb(place)
        elif action == "start" and not network.has_holder(container_id):
            self._disturb(place)

    def _hear_of_network(self, action: str, network_id: str, container_id: str) -> None:
        for place, network in self._networks.items():
            if network.network is None or network.network.id != network_id:
                continue
            if action == "destroy":
                network.network = None
                self._disturb(place)
            elif action == "disconnect" and network.may_lose_holder(container_id):
                self._disturb(place)

    def _disturb(self, place: Place) -> None:
        self._disturbed.add(place)
        self._woken.set()

    async def prepare(self, target: Target, wanted: Sequence[WantedNetwork]) -> None:
        """Makes the networks of an environment, and holders for the names of its services.

        Asks the engine nothing when all is known to be there. What was removed by hand is made
        again, with the same addresses where they are still free. What is not wanted any more is
        removed as soon as nothing is on it.

        Raises:
            Conflict: what is to change is in use.
            CompartmentError: no subnet, or no address, is left, or something is not there.
        """
        keys = {each.key for each in wanted}
        for key, network in self._of(target).items():
            if key and key not in keys and network.is_wanted:
                await network.retire()
        missing = [each for each in wanted if not self._at((target, each.key)).is_as(each)]
        with single_error():
            async with asyncio.TaskGroup() as group:
                for each in missing:
                    group.create_task(self._prepare((target, each.key), each))

    async def _prepare(self, place: Place, wanted: WantedNetwork) -> None:
        network = self._at(place)
        await network.prepare(wanted)
        self._retries.note(place, is_right=network.is_whole)

    def holders(self, target: Target, service_name: str) -> tuple[Holder, ...]:
        """Where the name of a service leads to, on each network where it is held now."""
        found = (each.holder(service_name) for each in self._of(target).values())
        return tuple(each for each in found if each is not None)

    async def attach(self, target: Target, joining: Joining) -> list[Attachment]:
        """Attaches an instance, at fixed addresses that are reserved until `release_address`.

        Raises:
            CompartmentError: there is no network, no address is left, or not the wanted one.
        """
        used = await addresses_in_use(self._docker)
        links = joining.links or (None,)
        found = [self._at((target, each.network.key if each else "")) for each in links]
        reached = next((each for each in found if each.gives_addresses), None)
        attached: list[Attachment] = []
        try:
            for link, network in zip(links, found, strict=True):
                wanted = joining.wanted if network is reached else None
                attached.append(network.attach(link, joining, used, wanted))
        except CompartmentError:
            for each in attached:
                self.release_address(each.address)
            raise
        return attached

    def release_address(self, address: str) -> None:
        """Lets an address be given out again, now that its container is removed."""
        for network in self._networks.values():
            network.release(address)

    async def clear(self, target: Target) -> None:
        """Removes the holders of an environment, then its networks.

        A network that containers of others are attached to stays, and the log says so. What is
        external stays always.
        """
        found = await labelled(self._docker, self._home, target)
        for key in {"", *self._of(target), *map(key_of, found)}:
            await self._at((target, key)).clear()


def _place(labels: Mapping[str, str]) -> Place:
    return Target(labels[PROJECT], labels[ENVIRONMENT]), labels.get(NETWORK, "")
