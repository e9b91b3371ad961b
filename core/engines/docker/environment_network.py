"""The network of one environment, with its holders and the addresses that are given out on it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from core.ending import single_error, to_the_end
from core.engines.docker import network as networks
from core.errors import CompartmentError, EngineUnavailable, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from core.engines.base import Holder
    from core.engines.docker.connection import Docker
    from core.engines.docker.holders import Held, Holders
    from core.engines.docker.network import Network
    from core.records import Target

_log = logging.getLogger(__name__)


class EnvironmentNetwork:
    """What is known of it, and its mending; one thing at a time is changed.

    `moved` is called when a holder that was known is gone, or is somewhere else.
    """

    def __init__(
        self,
        docker: Docker,
        home: str,
        target: Target,
        holders: Holders | None,
        moved: Callable[[], None],
    ) -> None:
        self.network: Network | None = None
        self.is_wanted = False
        """Whether it is to be there: from `prepare` until `clear`."""
        self._docker = docker
        self._home = home
        self._target = target
        self._holders = holders
        self._moved = moved
        self._lock = asyncio.Lock()
        self._given: set[str] = set()
        """Given out, also where no container has it yet; those of holders for good."""
        self._held: dict[str, Held] = {}
        """The holders that run."""
        self._of_holders: dict[str, str] = {}
        """The address of each holder there ever was, by its service; empty until it has one."""
        self._told: dict[str, Holder | None] = {}
        """Where each holder was when that was last looked at; None: nowhere."""

    def holder(self, service_name: str) -> Holder | None:
        """Where the name of a service leads to; None while it leads nowhere."""
        held = self._held.get(service_name)
        return held.holder if held else None

    def lose_holder(self, container_id: str) -> bool:
        """Takes notice that a holder does not run any more; whether it was known."""
        for each in self._held.values():
            if each.id == container_id:
                del self._held[each.service_name]
                return True
        return False

    def has_holder(self, container_id: str) -> bool:
        """Whether a container is a holder that is known to run."""
        return any(each.id == container_id for each in self._held.values())

    async def prepare(self, names: Collection[str]) -> None:
        """Has the network be there, and the holders of these services."""
        wanted = names if self._holders else ()
        if self.network is None or any(name not in self._held for name in wanted):
            await to_the_end(self._prepare(wanted))

    async def _prepare(self, names: Collection[str]) -> None:
        async with self._lock:
            self.is_wanted = True
            for name in names:
                self._of_holders.setdefault(name, "")
            await self._mend()

    async def mend(self) -> None:
        """Reads all from the engine, and makes and starts what does not run, if it is wanted."""
        async with self._lock:
            if self.is_wanted:
                await to_the_end(self._mend())

    async def _mend(self) -> None:
        try:
            await self._make_whole()
        except NotFound:
            # Something was taken away while we looked.
            await self._make_whole()
        finally:
            self._tell()

    def _tell(self) -> None:
        now = {name: held.holder for name, held in self._held.items()}
        has_moved = any(now.get(name) != holder for name, holder in self._told.items())
        self._told = {**dict.fromkeys(self._told), **now}
        if has_moved:
            self._moved()

    async def _make_whole(self) -> None:
        network = await networks.find(self._docker, self._home, self._target)
        network = network or await networks.make(self._docker, self._home, self._target)
        if network != self.network:
            self.network = network
        if self._holders is not None:
            await self._hold(self.network, self._holders)

    async def _hold(self, network: Network, holders: Holders) -> None:
        found = await holders.read(self._target)
        usable = {each.service_name: each for each in found if each.network_id == network.id}
        await holders.remove(each for each in found if usable.get(each.service_name) is not each)
        self._held = {name: each for name, each in usable.items() if each.namespace}
        for name, each in usable.items():
            self._of_holders[name] = each.address
            self._given.add(each.address)
        missing = sorted(self._of_holders.keys() - usable.keys())
        if missing:
            await holders.provide_image()
            used = await networks.addresses_in_use(self._docker)
            for name in missing:
                self._of_holders[name] = self._reserve(network, used, self._of_holders[name])
        stopped = [each for each in usable.values() if not each.namespace]
        if stopped or missing:
            await self._docker.check_stays()
        with single_error():
            async with asyncio.TaskGroup() as group:
                for each in stopped:
                    if not each.is_restarting:
                        group.create_task(self._start(holders, network, each))
                for name in missing:
                    group.create_task(self._make(holders, network, name))

    async def _start(self, holders: Holders, network: Network, held: Held) -> None:
        try:
            self._keep(await holders.start(held))
        except EngineUnavailable:
            raise
        except CompartmentError:
            # An engine that was killed may have left it in a state that it cannot be started from.
            await holders.remove([held])
            await self._make(holders, network, held.service_name)

    async def _make(self, holders: Holders, network: Network, name: str) -> None:
        address = self._of_holders[name]
        self._keep(await holders.make(self._target, network, name, address))

    def _keep(self, held: Held) -> None:
        if held.namespace:
            self._held[held.service_name] = held

    async def attach(self, taken: Collection[str], wanted: str | None) -> tuple[Network, str]:
        """Reserves an address until it is released.

        Raises:
            CompartmentError: there is no network, no address is left, or not the wanted one.
        """
        network = self.network
        if network is None:
            raise CompartmentError(
                f"the network of {self._target} is not there", hint="deploy it again"
            )
        used = await networks.addresses_in_use(self._docker)
        if wanted is None:
            return network, self._reserve(network, {*used, *taken})
        if wanted in used or wanted not in network.subnet.fixed:
            why = f"is used by the container {used[wanted]}" if wanted in used else "is not on it"
            raise CompartmentError(
                f"an instance cannot have its address on the network {network.name} again:"
                f" {wanted} {why}",
                hint="deploy its service again",
            )
        self._given.add(wanted)
        return network, wanted

    def _reserve(self, network: Network, used: Collection[str], before: str = "") -> str:
        """A free address, if possible the one that it was before."""
        if before in network.subnet.fixed and before not in used:
            return before
        address = network.addresses.take({*used, *self._given})
        if address is None:
            raise CompartmentError(
                f"all addresses of the network {network.name} are in use",
                hint="remove the containers on it that are not needed any more",
            )
        self._given.add(address)
        return address

    def release(self, address: str) -> None:
        """Lets an address be given out again."""
        if address not in self._of_holders.values():
            self._given.discard(address)

    async def clear(self) -> None:
        """Removes the holders, then the network, unless containers of others are attached."""
        await to_the_end(self._clear())

    async def _clear(self) -> None:
        async with self._lock:
            self.is_wanted = False
            self.network = None
            for known in (self._given, self._held, self._of_holders, self._told):
                known.clear()
            if self._holders is not None:
                await self._holders.remove(await self._holders.read(self._target))
                await self._holders.remove_image()
            while network := await networks.find(self._docker, self._home, self._target):
                if not await self._remove(network):
                    return

    async def _remove(self, network: Network) -> bool:
        others = await networks.attached(self._docker, network)
        if not others:
            with suppress(NotFound):
                await self._docker.call(lambda client: client.remove_network(network.id))
            return True
        _log.warning(
            "the network %s of %s stays, because these containers are attached to it: %s",
            network.name,
            self._target,
            ", ".join(sorted(others)),
        )
        return False
