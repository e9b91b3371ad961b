"""The one place where routes are switched."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from core.errors import GatewayUnavailable
from core.promotion.hosts import Hosts
from core.promotion.publishing import OwnPorts
from core.promotion.serving import table

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

    from core.gateway.gateway import Gateway
    from core.gateway.table import Table
    from core.model import Service
    from core.promotion.engines import Engines
    from core.promotion.ledger import Ledger
    from core.records import Activation

PORTS = "ports"
"""The setting that keeps where the gateway listens."""


class Router:
    """The only caller of the gateway: it turns the ledger into a table, one update at a time."""

    def __init__(
        self,
        ledger: Ledger,
        gateway: Gateway,
        engines: Engines,
        base_domain: str = "localhost",
        chosen: Collection[str] = (),
    ) -> None:
        """`chosen` are the settings of ports that a person has settled on."""
        self.ledger = ledger
        self.gateway = gateway
        self.hosts = Hosts(ledger, engines, base_domain)
        self._chosen = frozenset(chosen)
        self._served: Table | None = None
        self._updating = asyncio.Lock()

    @property
    def own_ports(self) -> OwnPorts:
        """Where the gateway listens for all projects, and which of those it would leave."""
        ports = self.gateway.ports
        own = {"port": ports.public, "internal_port": ports.internal}
        relied_on = set(own) if self._has_sites() else self._chosen & set(own)
        held = {own[name]: f"--{name.replace('_', '-')}" for name in relied_on}
        if ports.https is not None:
            # Nobody has one that was not asked for.
            held[ports.https] = "--https-port"
        return OwnPorts(
            frozenset(port for name, port in own.items() if name not in relied_on), held
        )

    def _has_sites(self) -> bool:
        """Whether somebody may know a host name with the port: Compose services have their own."""
        return any(
            each.is_active and each.service.kind.is_routable and each.service.container is None
            for each in self.ledger.deployments.values()
        )

    async def make_room(self, services: Iterable[Service]) -> None:
        """Leaves those of the gateway's own ports that these services publish."""
        wanted = _published(services)
        left = self.own_ports.movable & wanted
        if left:
            deployments = self.ledger.deployments.values()
            taken = wanted | _published(each.service for each in deployments)
            async with self._updating:
                await self.gateway.leave(left, taken)
            await self.keep_ports()

    async def keep_ports(self) -> None:
        """Keeps where the gateway listens, for the next one."""
        await self.ledger.journal.keep_setting(PORTS, str(self.gateway.ports))

    async def is_serving(self) -> bool:
        """Whether a gateway runs and serves, maybe since before this agent.

        Raises:
            GatewayUnavailable: it runs but does not answer.
        """
        return await self.gateway.envoy.is_serving()

    async def start(
        self, incoming: Sequence[Activation] = (), *, given: Iterable[int] = ()
    ) -> None:
        """Makes sure that the gateway runs and serves what is live, or about to be.

        `given` are ports that services are about to get.
        """
        async with self._updating:
            wanted = table(self.ledger, self.hosts, incoming)
            await self.gateway.start(wanted, given, self._longest_request_s())
            self._served = wanted

    def _longest_request_s(self) -> float:
        """What a request may take at the most when what it goes to is replaced."""
        active = (each.service.drain for each in self.ledger.deployments.values() if each.is_active)
        return max((each.timeout_ms / 1000 for each in active), default=0.0)

    async def switch(
        self,
        incoming: Sequence[Activation],
        settle: Callable[[], Awaitable[None]],
        coming: Collection[str] = (),
    ) -> float:
        """Sends all new requests to these activations, then lets `settle` make it true.

        `coming` are the deployments of the run, also those that have no activation.

        Returns how long the switch of the routes took, in seconds.

        Raises:
            GatewayUnavailable: it refused; the old routes are served.
            JournalError: the routes are switched, but `settle` could not say so. The next agent
                finds the run in its switch, and takes it forward.
        """
        async with self._updating:
            wanted = table(self.ledger, self.hosts, incoming, coming)
            seconds = await self._apply(wanted)
            await settle()
            return seconds

    async def refresh(self) -> None:
        """Serves what the ledger says now, and forgets the clusters of what is gone."""
        async with self._updating:
            wanted = table(self.ledger, self.hosts)
            await self._apply(wanted)
            await self.gateway.remove_drained(wanted)

    async def _apply(self, wanted: Table) -> float:
        seconds = await self.gateway.apply(wanted)
        self._served = wanted
        return seconds

    async def open_entrances(self) -> None:
        """Lets other services reach what there is now, also what is a candidate still."""
        async with self._updating:
            wanted = table(self.ledger, self.hosts)
            if self._served is not None and _leads_alike(wanted, self._served):
                return
            try:
                await self._apply(wanted)
            except GatewayUnavailable:
                # One that has ended is started again, and then serves them.
                if self.gateway.envoy.is_running:
                    raise

    async def open_doors(self) -> None:
        """Listens where somebody else was in the way, as far as nobody is any more.

        Raises:
            GatewayUnavailable: it refused; it listens where it did.
        """
        async with self._updating:
            await self._apply(table(self.ledger, self.hosts))

    async def enforce(self) -> None:
        """Puts in force what was kept, as soon as there is a gateway.

        Raises:
            GatewayUnavailable: it refused; it comes with the next update.
        """
        try:
            await self.open_entrances()
        except GatewayUnavailable as error:
            raise GatewayUnavailable(
                f"it is kept, but not in force yet: {error.message}", hint=error.hint
            ) from error

    async def forget_gone(self) -> None:
        """Removes the clusters of activations that are gone; routes stay as they are."""
        async with self._updating:
            await self.gateway.remove_drained(table(self.ledger, self.hosts))


def _leads_alike(one: Table, other: Table) -> bool:
    """Whether whoever calls gets to the same place, also through a route rule."""
    return (one.sites, one.entrances) == (other.sites, other.entrances)


def _published(services: Iterable[Service]) -> set[int]:
    containers = (each.container for each in services)
    found = (each for container in containers if container for each in container.published)
    return {each.port for each in found if each.port}
