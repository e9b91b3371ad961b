"""The one writer of the gateway's configuration, and the order in which it is written.

Clusters and entrances first, until Envoy has them; then the routes of all listeners, by one atomic
rename; then the acknowledgement: a route that answers with the version of the table, asked through
the listeners themselves. Only then is the switch a fact. What is old goes later, when it is
drained.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import GatewayUnavailable
from core.gateway import resources
from core.gateway.acknowledged import Acknowledgements
from core.gateway.doors import check_secure
from core.gateway.envoy import Envoy
from core.gateway.findings import Findings
from core.gateway.listeners import Listeners
from core.gateway.routes import ROUTES, route_configuration
from core.gateway.tls import Secrets
from core.gateway.told import Told, content_of, new_version
from core.ports import can_bind, free_port

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from core.gateway.table import InFlight, Ports, Table, Traffic, Upstream

_log = logging.getLogger(__name__)

_PATIENCE_S = 60.0
"""Twice what a request gets at a switch unless its service says otherwise."""

_ENDED_KEPT = 500
_NEAR = 20
_CLUSTERS = "clusters"


class Gateway:
    """Envoy and the table that it serves. Callers serialise their updates through `apply`."""

    def __init__(self, folder: Path, admin_socket: Path, ports: Ports, workers: int = 1) -> None:
        self.ports = ports
        self.envoy = Envoy(folder, admin_socket, workers)
        self.findings = Findings(folder / "checks.log", self.envoy.admin)
        self._ended: dict[str, Traffic] = {}
        """What upstreams had answered when they ended."""
        self.secrets = Secrets(folder / "certificates")
        self._entrances = admin_socket.with_name("entrances.sock")
        self._pages = admin_socket.with_name("pages.sock")
        self._writing = asyncio.Lock()
        self._told = Told(folder)
        self._acknowledged = Acknowledgements(self.envoy, self._entrances)
        self.listeners = Listeners(
            folder, self._entrances, self.secrets, self._told, self._acknowledged
        )

    async def close(self) -> None:
        """Ends our connections; Envoy goes on."""
        self._acknowledged.forget_connections()
        await self.envoy.admin.close()

    async def start(self, table: Table, given: Iterable[int] = (), patience_s: float = 0) -> None:
        """Makes sure that Envoy runs and serves this table, on none of the ports in `given`.

        One of an earlier version is replaced without a gap; it has `patience_s`, and a minute at
        least, to answer what it has.

        Raises:
            GatewayUnavailable: it cannot be started, or refuses the table.
        """
        async with self._writing:
            is_serving = await self._is_serving_as_wanted(patience_s)
            inner = {door.port for each in table.entrances for door in each.doors}
            taken = inner.union(given)
            self.ports = self.listeners.choose_ports(self.ports, taken, is_serving=is_serving)
            if is_serving:
                await self._prepare(table)
                await self.listeners.move(self.ports)
                await self._switch(table)
                await self._forget_others(table)
                return
            version = new_version()
            self._entrances.unlink(missing_ok=True)
            self.listeners.write_first(self.ports, table)
            unchecked = tuple(replace(each, check=None) for each in table.upstreams)
            self._told.write(_CLUSTERS, version, self._clusters(unchecked))
            self._told.write_content(ROUTES, self._routes(version, table))
            mark = self._acknowledged.mark()
            if self.ports.https is not None:
                check_secure(self.ports.host, self.ports.https)
            await self.envoy.start(self.ports)
            await self._acknowledged.of_routes(version, mark, self.ports)
            # Envoy would not serve anybody before it has checked everybody, and some may hang.
            await self._write_clusters(self._clusters(table.upstreams))

    async def _is_serving_as_wanted(self, patience_s: float) -> bool:
        """Whether one runs; one of an earlier version is replaced, unless that would cut it off."""
        if not await self.envoy.is_serving():
            return False
        if self.envoy.is_current:
            return True
        if not self.envoy.can_hand_over:
            _log.warning(
                "the gateway (pid %s) goes on as it was started, by an earlier version or with"
                " other settings: it cannot hand over now",
                self.envoy.pid,
            )
            return True
        try:
            await self.envoy.hand_over(max(patience_s, _PATIENCE_S))
        except GatewayUnavailable as error:
            _log.warning("the gateway cannot be replaced: %s", error.message)
            return await self.envoy.is_serving()
        self._acknowledged.forget_connections()
        return True

    @property
    def lag_s(self) -> float:
        """How old the figures of `in_flight` may be, in seconds."""
        return self.envoy.lag_s

    def _clusters(self, upstreams: tuple[Upstream, ...]) -> list[resources.Json]:
        pages = resources.pages_cluster(self._pages)
        return [pages, *resources.clusters(upstreams, self.findings.log)]

    async def leave(self, ports: Collection[int], taken: Collection[int]) -> None:
        """Listens elsewhere, where its public or its internal port is one of `ports`.

        It goes to none of those that are `taken`, although nobody may listen there yet.

        Raises:
            GatewayUnavailable: Envoy refused; it listens where it did.
        """
        async with self._writing:
            before = self.ports
            avoided = {*ports, *taken, before.public, before.internal, before.https or 0}
            public, internal = (
                _free_above(port, avoided) if port in ports else port
                for port in (before.public, before.internal)
            )
            self.ports = replace(before, public=public, internal=internal)
            try:
                if await self.envoy.is_serving():
                    await self.listeners.move(self.ports)
            except GatewayUnavailable:
                self.ports = before
                raise

    async def apply(self, table: Table) -> float:
        """Serves a table from now on; returns how long the switch of the routes took, in seconds.

        Raises:
            GatewayUnavailable: Envoy refused the update, or does not answer. The old table stays.
            Conflict: a new door cannot be opened. The old table stays.
        """
        async with self._writing:
            await self._prepare(table)
            return await self._switch(table)

    async def _prepare(self, table: Table) -> None:
        """Clusters, to which routes may lead; none goes here, since it may be routed to."""
        self.listeners.check_new(table.entrances)
        wanted = self._clusters(table.upstreams)
        names = {cluster["name"] for cluster in wanted}
        left_over = [each for each in self._told.resources(_CLUSTERS) if each["name"] not in names]
        await self._write_clusters(wanted + left_over)
        if not self._told.has(ROUTES):
            # Envoy takes no listener that names a file which is not there.
            self._told.write_content(ROUTES, self._routes(new_version(), table))

    async def _switch(self, table: Table) -> float:
        """Entrances, then the routes; what they lead to is prepared."""
        version = new_version()
        routes = self._routes(version, table)
        await self.listeners.serve_also(self.ports, table)
        # Taken before the file is written: Envoy may refuse it at once.
        mark = self._acknowledged.mark()
        before = self._told.version(ROUTES)
        try:
            with self._told.restored_on_failure(ROUTES):
                started = time.monotonic()
                self._told.write_content(ROUTES, routes)
                await self._acknowledged.of_routes(version, mark, self.ports)
        except GatewayUnavailable:
            await self._await_the_way_back(before)
            raise
        return time.monotonic() - started

    async def _await_the_way_back(self, version: str | None) -> None:
        """Whoever hears of the failure may stop what was to be routed to."""
        if version is not None and self.envoy.is_running:
            with suppress(GatewayUnavailable):
                mark = self._acknowledged.mark()
                await self._acknowledged.of_routes(version, mark, self.ports)

    async def remove_drained(self, table: Table) -> None:
        """Forgets what the table no longer has; its routes must be served already."""
        async with self._writing:
            await self._forget_others(table)

    async def _forget_others(self, table: Table) -> None:
        await self.listeners.serve(self.ports, table)
        await self._write_clusters(self._clusters(table.upstreams))

    async def in_flight(self, activation: str) -> InFlight:
        """What an activation carries now."""
        return await self.envoy.admin.in_flight(activation)

    async def cut(self, activation: str) -> int:
        """How many requests an activation that ends has cut so far."""
        self._ended[activation], cut = await self.envoy.admin.totals(activation)
        if len(self._ended) > _ENDED_KEPT:
            del self._ended[next(iter(self._ended))]
        return cut

    async def traffic(self) -> dict[str, Traffic] | None:
        """What every upstream has answered so far; None when the gateway does not say.

        Those that have ended are there, too: Envoy itself forgets them with their clusters.
        """
        if not self.envoy.is_running:
            return None
        try:
            return self._ended | await self.envoy.admin.traffic()
        except GatewayUnavailable:
            return None

    async def _write_clusters(self, clusters: list[resources.Json]) -> None:
        if clusters == self._told.resources(_CLUSTERS):
            return
        version = new_version()
        mark = self._acknowledged.mark()
        with self._told.restored_on_failure(_CLUSTERS):
            self._told.write(_CLUSTERS, version, clusters)
            await self._acknowledged.of_clusters(version, mark)
        await self._acknowledged.until_warm()

    def _routes(self, version: str, table: Table) -> bytes:
        """The route file, made before it is written."""
        return content_of(version, [route_configuration(version, table, self.ports.https)])

    async def take_certificate(self, host: str, pair: tuple[str, str], leaf_der: bytes) -> None:
        """Shows a certificate from now on: chain and key in PEM; no connection is cut.

        Where the table has no TLS for the host yet, `apply` with one that has it comes next.

        Raises:
            GatewayUnavailable: Envoy refused it, or it cannot be kept. The old one is shown.
        """
        async with self._writing:
            before, mark = self.secrets.content(host), self._acknowledged.mark()
            try:
                self.secrets.write(host, new_version(), *pair)
                await self._await_certificate(host, leaf_der, mark)
            except OSError as error:
                raise self._told.full(error) from error
            except GatewayUnavailable:
                with suppress(OSError):
                    self.secrets.put_back(host, before)
                raise

    async def await_certificate(self, host: str, leaf_der: bytes) -> None:
        """Returns when clients are shown a certificate that was taken.

        Raises:
            GatewayUnavailable: they are not, in time.
        """
        async with self._writing:
            await self._await_certificate(host, leaf_der, self._acknowledged.mark())
            if self.ports.https and self.envoy.is_running and not self.listeners.has_chain(host):
                raise GatewayUnavailable(
                    f"the gateway does not serve {host} by TLS",
                    hint="compartment agent stop; the next agent puts it in force",
                )

    async def _await_certificate(self, host: str, leaf_der: bytes, mark: int) -> None:
        await self._acknowledged.of_certificate(
            host, leaf_der, mark, self.ports, lambda: self.listeners.has_chain(host)
        )


def _free_above(port: int, taken: set[int]) -> int:
    """The next port that is free: one that a person would guess."""
    for each in range(port + 1, port + _NEAR):
        if each not in taken and can_bind(each, again=True):
            taken.add(each)
            return each
    return free_port(taken)
