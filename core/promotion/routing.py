"""The one place where routes are switched."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from core.errors import GatewayUnavailable
from core.promotion.hosts import Hosts
from core.promotion.serving import table

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from core.gateway.gateway import Gateway
    from core.gateway.table import Entrance, Table
    from core.promotion.engines import Engines
    from core.promotion.ledger import Ledger
    from core.records import Activation


class Router:
    """The only caller of the gateway: it turns the ledger into a table, one update at a time."""

    def __init__(
        self, ledger: Ledger, gateway: Gateway, engines: Engines, base_domain: str = "localhost"
    ) -> None:
        self.ledger = ledger
        self.gateway = gateway
        self.hosts = Hosts(ledger, engines, base_domain)
        self._served: tuple[Entrance, ...] | None = None
        self._updating = asyncio.Lock()

    async def start(
        self, incoming: Sequence[Activation] = (), *, given: Iterable[int] = ()
    ) -> None:
        """Makes sure that the gateway runs and serves what is live, or about to be.

        `given` are ports that services are about to get.
        """
        async with self._updating:
            wanted = table(self.ledger, self.hosts, incoming)
            await self.gateway.start(wanted, given)
            self._served = wanted.entrances

    async def switch(
        self, incoming: Sequence[Activation], settle: Callable[[], Awaitable[None]]
    ) -> float:
        """Sends all new requests to these activations, then lets `settle` make it true.

        Returns how long the switch of the routes took, in seconds.

        Raises:
            GatewayUnavailable: it refused; the old routes are served.
            JournalError: the routes are switched, but `settle` could not say so. The next agent
                finds the run in its switch, and takes it forward.
        """
        async with self._updating:
            wanted = table(self.ledger, self.hosts, incoming)
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
        self._served = wanted.entrances
        return seconds

    async def open_entrances(self) -> None:
        """Lets other services reach what there is now, also what is a candidate still."""
        async with self._updating:
            wanted = table(self.ledger, self.hosts)
            if wanted.entrances == self._served:
                return
            try:
                await self._apply(wanted)
            except GatewayUnavailable:
                # One that has ended is started again, and then serves them.
                if self.gateway.envoy.is_running:
                    raise

    async def forget_gone(self) -> None:
        """Removes the clusters of activations that are gone; routes stay as they are."""
        async with self._updating:
            await self.gateway.remove_drained(table(self.ledger, self.hosts))
