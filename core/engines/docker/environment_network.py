"""One network of an environment, with its holders and the addresses that are given out on it."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from core.ending import single_error, to_the_end
from core.engines.docker import definitions, occupants
from core.engines.docker import network as networks
from core.engines.docker.address_register import AddressRegister
from core.engines.docker.attachments import Attachment
from core.engines.docker.holders import Wish
from core.errors import CompartmentError, Conflict, EngineUnavailable, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from core.container import Network as Definition
    from core.container import NetworkLink
    from core.engines.base import Holder, WantedNetwork
    from core.engines.docker.attachments import Joining
    from core.engines.docker.connection import Docker
    from core.engines.docker.holders import Held, Holders
    from core.engines.docker.network import Network
    from core.records import Target

_log = logging.getLogger(__name__)


class EnvironmentNetwork:
    """What is known of it, and its mending; one thing at a time is changed.

    `key` tells it from the others of its environment; empty for the shared one. `moved` is called
    when a holder that was known is gone, or is somewhere else.
    """

    def __init__(
        self,
        docker: Docker,
        home: str,
        target: Target,
        key: str,
        holders: Holders | None,
        moved: Callable[[], None],
    ) -> None:
        self.network: Network | None = None
        self.is_wanted = False
        """Whether it is to be there: from `prepare` until `clear`."""
        self._docker = docker
        self._home = home
        self._target = target
        self._key = key
        self._definition: Definition | None = None if key else definitions.SHARED
        """None until it is prepared: an agent before this one has made it."""
        self._holders = holders
        self._moved = moved
        self._lock = asyncio.Lock()
        self._addresses = AddressRegister()
        self._names: dict[str, tuple[str, ...]] = {}
        """The services that holders are wanted for, each with its further names."""
        self._held: dict[str, Held] = {}
        """The holders that run."""
        self._of_holders: dict[str, str] = {}
        """The address of each holder there ever was, by its service."""
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
                # Who asks before it is mended is told that it is nowhere, and has to ask again.
                self._told[each.service_name] = None
                return True
        return False

    def may_lose_holder(self, container_id: str) -> bool:
        """The same of a container that may be another one; True also while it is not yet known."""
        return self.lose_holder(container_id) or self._lock.locked()

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing that is wanted and can be made, as far as is known."""
        network = self.network
        if not self.is_wanted or network is None:
            return not self.is_wanted or self._definition is None
        is_held = self._holders is not None and network.addresses is not None
        return not is_held or self._held.keys() >= self._names.keys()

    def has_holder(self, container_id: str) -> bool:
        """Whether a container is a holder that is known to run."""
        return any(each.id == container_id for each in self._held.values())

    async def prepare(self, wanted: WantedNetwork) -> None:
        """Has the network be there as it is described, and its holders.

        Raises:
            Conflict: it was described otherwise when it was made, and is in use.
            CompartmentError: it cannot be made, or is somebody else's and not there.
        """
        await to_the_end(self._prepare(wanted))

    def is_as(self, wanted: WantedNetwork) -> bool:
        """Whether it is known to be there as it is wanted."""
        if self.network is None or wanted.network not in (None, self._definition):
            return False
        names, reserved = self._names_of(wanted), frozenset(wanted.reserved)
        is_held = names == self._names and self._held.keys() >= names.keys()
        return is_held and reserved == self._addresses.reserved

    def _names_of(self, wanted: WantedNetwork) -> dict[str, tuple[str, ...]]:
        """What is to be held, once this is wanted.

        A name on the shared network stays for good. In a Compose file a service may become one
        whose instances carry its name themselves.
        """
        if self._holders is None or (wanted.network and wanted.network.is_external):
            return {}
        names = dict(wanted.names)
        return names if wanted.network else {**self._names, **names}

    async def _prepare(self, wanted: WantedNetwork) -> None:
        async with self._lock:
            before = self._names, self._definition
            self.is_wanted = True
            self._names = self._names_of(wanted)
            self._definition = wanted.network or definitions.SHARED
            self._addresses.reserved = frozenset(wanted.reserved)
            try:
                await self._mend()
            except Conflict:
                # What is there is in use, and goes on to be mended.
                self._names, self._definition = before
                raise

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
        found = await self._found()
        if found is None:
            return
        if found != self.network:
            self.network = found
            if self._key:
                await self._remember(found)
        if self._holders is not None and found.addresses is not None:
            await self._hold(self.network, self._holders)

    async def _found(self) -> Network | None:
        """The network, made if need be and if it is known how."""
        definition = self._definition
        if definition is not None and definition.is_external:
            return await networks.external(self._docker, definition)
        found = await networks.find(self._docker, self._home, self._target, self._key)
        if definition is None:
            return found
        if found is not None and self._key and found.digest != definitions.digest_of(definition):
            await self._make_way(found)
            found = None
        return found or await networks.make(self._docker, self._home, self._target, definition)

    async def _make_way(self, network: Network) -> None:
        """Removes what the network was before the file was changed."""
        others = await occupants.attached(self._docker, self._home, network)
        if others:
            raise Conflict(
                f"the network `{self._key}` of {self._target} cannot become what the Compose file"
                f" describes now, because these containers are on it: {', '.join(others)}",
                hint="`compartment down` ends what is yours, then deploy again;"
                " disconnect what is somebody else's",
            )
        await self._remove_holders()
        await self._remove(network)

    async def _remember(self, network: Network) -> None:
        """Finds out which addresses the services have whose names lead to their instances."""
        found = await occupants.addresses_of_services(self._docker, self._home, network)
        for service_name, address in found:
            if service_name not in self._names:
                self._addresses.note(service_name, address)

    async def _hold(self, network: Network, holders: Holders) -> None:
        found = await holders.read(self._target, self._key)
        if not self._key or self._definition is None:
            self._names = {**{each.service_name: each.names for each in found}, **self._names}
        self._forget_dropped()
        usable = {each.service_name: each for each in found if self._is_usable(network, each)}
        await holders.remove(each for each in found if usable.get(each.service_name) is not each)
        self._held = {name: each for name, each in usable.items() if each.namespace}
        for name, each in usable.items():
            self._of_holders[name] = each.address
            self._addresses.note_held(each.address)
        missing = sorted(self._names.keys() - usable.keys())
        if missing:
            await holders.provide_image()
            used = await occupants.addresses_in_use(self._docker)
            for name in missing:
                before = self._of_holders.get(name, "")
                self._of_holders[name] = self._addresses.hold(network, used, before)
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

    def _is_usable(self, network: Network, held: Held) -> bool:
        return held.network_id == network.id and self._names.get(held.service_name) == held.names

    def _forget_dropped(self) -> None:
        """Gives up the addresses of holders that are not wanted any more."""
        for name in self._of_holders.keys() - self._names.keys():
            self._addresses.drop(self._of_holders.pop(name))
            self._told.pop(name, None)

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
        wish = Wish(self._target, self._key, name, self._names[name], self._of_holders[name])
        self._keep(await holders.make(network, wish))

    def _keep(self, held: Held) -> None:
        if held.namespace:
            self._held[held.service_name] = held

    def attach(
        self,
        link: NetworkLink | None,
        joining: Joining,
        used: Mapping[str, str],
        wanted: str | None,
    ) -> Attachment:
        """Attaches an instance, at an address that is reserved until it is released.

        `wanted` is the address that it must have, and `used` those that containers have.

        Raises:
            CompartmentError: there is no network, no address is left, or not the wanted one.
        """
        network = self.network
        if network is None:
            named = f"network `{self._key}`" if self._key else "network"
            raise CompartmentError(
                f"the {named} of {self._target} is not there", hint="deploy it again"
            )
        settings = link.settings if link else {}
        exact = wanted or settings.get("ipv4_address")
        address = exact or ""
        if network.addresses is not None:
            address = self._addresses.give(network, used, joining, exact)
        aliases = self._aliases(link, joining.service_name)
        return Attachment(
            network.name, network.id, address, aliases, network.is_reachable, settings
        )

    def _aliases(self, link: NetworkLink | None, service_name: str) -> tuple[str, ...]:
        """The names that lead to the instance itself, because nothing holds them."""
        if link is None:
            return () if self._holders else (service_name,)
        return () if service_name in self._names else (service_name, *link.aliases)

    @property
    def gives_addresses(self) -> bool:
        """Whether what is on it has a fixed address that this machine reaches."""
        network = self.network
        return network is not None and network.addresses is not None and network.is_reachable

    def release(self, address: str) -> None:
        """Lets an address be given out again."""
        self._addresses.release(address)

    async def retire(self) -> None:
        """Removes what no service needs any more, as soon as nothing is on it."""
        async with self._lock:
            if not self._addresses.is_used and not await self._others():
                await to_the_end(self._clear())

    async def _others(self) -> list[str]:
        network = await networks.find(self._docker, self._home, self._target, self._key)
        return await occupants.attached(self._docker, self._home, network) if network else []

    async def clear(self) -> None:
        """Removes the holders, then the network, unless containers of others are attached."""
        async with self._lock:
            await to_the_end(self._clear())

    async def _clear(self) -> None:
        self.is_wanted = False
        self.network = None
        self._definition = None if self._key else definitions.SHARED
        self._addresses.clear()
        for known in (self._names, self._held, self._of_holders, self._told):
            known.clear()
        await self._remove_holders()
        while network := await networks.find(self._docker, self._home, self._target, self._key):
            if not await self._remove_unless_used(network):
                return

    async def _remove_holders(self) -> None:
        if self._holders is not None:
            await self._holders.remove(await self._holders.read(self._target, self._key))
            await self._holders.remove_image()

    async def _remove_unless_used(self, network: Network) -> bool:
        others = await occupants.attached(self._docker, self._home, network)
        if not others:
            await self._remove(network)
            return True
        _log.warning(
            "the network %s of %s stays, because these containers are attached to it: %s",
            network.name,
            self._target,
            ", ".join(others),
        )
        return False

    async def _remove(self, network: Network) -> None:
        with suppress(NotFound):
            await self._docker.call(lambda client: client.remove_network(network.id))
