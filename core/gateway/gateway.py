"""The one writer of the gateway's configuration, and the order in which it is written.

Clusters and entrances first, until Envoy has them; then the route files, each by one atomic rename;
then the acknowledgement: a route that answers with the version of the table, asked through the
listeners themselves. Only then is the switch a fact. What is old goes later, when it is drained.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import GatewayUnavailable
from core.gateway import resources, tls
from core.gateway.acknowledged import Acknowledgements
from core.gateway.doors import (
    Addresses,
    check_new,
    check_secure,
    in_the_way,
    left_out,
    until_closed,
    usable,
    why_shut,
)
from core.gateway.envoy import Envoy, check_free
from core.gateway.findings import Findings
from core.gateway.routes import entrance_configuration, route_configuration
from core.gateway.table import Encryption, Ports, Table
from core.gateway.tls import SECURE, Secrets
from core.gateway.told import Told, content_of, new_version
from core.ports import can_bind, free_port

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from core.gateway.table import InFlight, Traffic, Upstream

_log = logging.getLogger(__name__)

_PATIENCE_S = 60.0
"""Twice what a request gets at a switch unless its service says otherwise."""

_ENDED_KEPT = 500
_NEAR = 20
_CLUSTERS = "clusters"
_PORTS = "listeners"
_LISTENERS = (resources.PUBLIC, resources.INTERNAL, SECURE)
_TABLES = (resources.PUBLIC, resources.INTERNAL, resources.ENTRANCES)
_LISTENER_TRIES = 3
"""A namespace may end at the moment in which Envoy is told to listen in it."""


class Gateway:
    """Envoy and the table that it serves. Callers serialise their updates through `apply`."""

    def __init__(self, folder: Path, admin_socket: Path, ports: Ports, workers: int = 1) -> None:
        self.ports = ports
        self.envoy = Envoy(folder, admin_socket, workers)
        self.findings = Findings(folder / "checks.log", self.envoy.admin)
        self._ended: dict[str, Traffic] = {}
        """What upstreams had answered when they ended."""
        self.secrets = Secrets(folder / "certificates")
        self._folder = folder
        self._entrances = admin_socket.with_name("entrances.sock")
        self._pages = admin_socket.with_name("pages.sock")
        self._writing = asyncio.Lock()
        self.has_shut_doors = asyncio.Event()
        """Set while some doors are left out."""
        self._shut: dict[str, resources.Json] = {}
        self._told = Told(folder)
        self._acknowledged = Acknowledgements(self.envoy, self._entrances)

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
            listeners = self._told.resources(_PORTS) if is_serving else []
            self._choose_ports(listeners, inner.union(given))
            if is_serving:
                await self._move_listeners()
                await self._switch(table)
                await self._forget_others(table)
                return
            version = new_version()
            self._entrances.unlink(missing_ok=True)
            self._told.write(_PORTS, version, self._usable(self._wanted_listeners(table), []))
            unchecked = tuple(replace(each, check=None) for each in table.upstreams)
            self._told.write(_CLUSTERS, version, self._clusters(unchecked))
            self._told.write_all(self._routes(version, table))
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
                    await self._move_listeners()
            except GatewayUnavailable:
                self.ports = before
                raise

    async def _move_listeners(self) -> None:
        """Where other ports are wanted than the running Envoy has, it listens there instead."""
        before = self._told.resources(_PORTS)
        old = {each["name"]: each["address"] for each in before}
        hosts = next((tls.hosts_of(each) for each in before if each["name"] == SECURE), ())
        wanted = self._own_listeners(hosts)
        for new in wanted:
            if old.get(new["name"]) != new["address"]:
                address = new["address"]["socket_address"]
                _check_free(new["name"], address["address"], address["port_value"])
        others = [each for each in before if each["name"] not in _LISTENERS]
        await self._write_listeners([*wanted, *others, *self._shut.values()])

    def _wanted_listeners(self, table: Table) -> list[resources.Json]:
        hosts = (each.host for each in table.sites if each.encryption is Encryption.ON)
        return [
            *self._own_listeners(hosts),
            *resources.entrance_listeners(self._folder, self._entrances, table.entrances),
        ]

    def _own_listeners(self, hosts: Iterable[str]) -> list[resources.Json]:
        """Those that a person chooses; `hosts` have TLS, unless their certificate is gone."""
        certified = filter(self.secrets.has, hosts)
        return [
            *resources.listeners(self._folder, self.ports),
            *resources.secure_listeners(self._folder, self.ports, certified, self.secrets.folder),
        ]

    async def _write_listeners(self, wanted: list[resources.Json]) -> None:
        """Listens where it is wanted and can be done; a namespace that has ended is left out."""
        before = self._told.resources(_PORTS)
        for tries in range(1, _LISTENER_TRIES + 1):
            found = self._usable(wanted, before)
            if found == before:
                return
            try:
                with self._told.restored_on_failure(_PORTS):
                    if closing := in_the_way(found, before):
                        await self._tell_listeners([e for e in before if e not in closing])
                        await until_closed(closing)
                    await self._tell_listeners(found)
            except GatewayUnavailable:
                if tries == _LISTENER_TRIES or usable(wanted, before) == found:
                    raise
            else:
                return

    async def _tell_listeners(self, listeners: list[resources.Json]) -> None:
        version, mark = new_version(), self._acknowledged.mark()
        self._told.write(_PORTS, version, listeners)
        await self._acknowledged.of_listeners(version, mark)

    async def apply(self, table: Table) -> float:
        """Serves a table from now on; returns how long the switch of the routes took, in seconds.

        Raises:
            GatewayUnavailable: Envoy refused the update, or does not answer. The old table stays.
            Conflict: a new door cannot be opened. The old table stays.
        """
        async with self._writing:
            return await self._switch(table)

    def _usable(
        self, wanted: list[resources.Json], before: list[resources.Json]
    ) -> list[resources.Json]:
        """Those that can be listened on; which are left out for their port is remembered."""
        found = usable(wanted, before)
        self._shut = left_out(wanted, found)
        if self._shut:
            self.has_shut_doors.set()
        else:
            self.has_shut_doors.clear()
        return found

    async def shut_doors(self) -> dict[str, str | None]:
        """Doors that are left out, somebody else being on their port: by their names, why.

        None says of one that it could be opened by now, which the next update does.
        """
        found = self._shut
        return await asyncio.to_thread(
            lambda: {name: why_shut(each) for name, each in found.items()}
        )

    def has_door(self, name: str) -> bool:
        """Whether a door was opened."""
        return any(each["name"] == name for each in self._told.resources(_PORTS))

    async def _switch(self, table: Table) -> float:
        """Clusters, then routes. No cluster goes here, since until the end it may be routed to."""
        check_new(table.entrances, self._told.resources(_PORTS))
        wanted = self._clusters(table.upstreams)
        names = {cluster["name"] for cluster in wanted}
        left_over = [each for each in self._told.resources(_CLUSTERS) if each["name"] not in names]
        await self._write_clusters(wanted + left_over)
        await self._add_listeners(table)
        version = new_version()
        routes = self._routes(version, table)
        # Taken before the files are written: Envoy may refuse them at once.
        mark = self._acknowledged.mark()
        before = self._told.version(resources.INTERNAL)
        try:
            with self._told.restored_on_failure(*_TABLES):
                started = time.monotonic()
                self._told.write_all(routes)
                await self._acknowledged.of_routes(version, mark, self.ports)
        except GatewayUnavailable:
            await self._await_the_way_back(before)
            raise
        return time.monotonic() - started

    async def _add_listeners(self, table: Table) -> None:
        if not self._told.has(resources.ENTRANCES):
            # Envoy does not watch a file that is not there when a listener first names it.
            version = new_version()
            empty = entrance_configuration(resources.ENTRANCES, version, ())
            self._told.write(resources.ENTRANCES, version, [empty])
        wanted = self._wanted_listeners(table)
        names, opening = {listener["name"] for listener in wanted}, Addresses(wanted)
        left_over = [
            each
            for each in self._told.resources(_PORTS)
            if each["name"] not in names and not opening.meets(each["address"])
        ]
        await self._write_listeners([*wanted, *left_over])

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
        await self._write_listeners(self._wanted_listeners(table))
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

    def _choose_ports(self, listeners: list[resources.Json], taken: set[int]) -> None:
        """Port 0 is the one that is listened on already, else any free one."""
        now = {
            each["name"]: each["address"]["socket_address"]["port_value"]
            for each in listeners
            if each["name"] in _LISTENERS
        }
        public = self.ports.public or now.get(resources.PUBLIC) or free_port(taken)
        internal = self.ports.internal or now.get(resources.INTERNAL)
        internal = internal or free_port({public, *taken})
        https = self.ports.https
        if https == 0:
            https = now.get(SECURE) or free_port({public, internal, *taken})
        self.ports = Ports(public, internal, self.ports.host, https)

    async def _write_clusters(self, clusters: list[resources.Json]) -> None:
        if clusters == self._told.resources(_CLUSTERS):
            return
        version = new_version()
        mark = self._acknowledged.mark()
        with self._told.restored_on_failure(_CLUSTERS):
            self._told.write(_CLUSTERS, version, clusters)
            await self._acknowledged.of_clusters(version, mark)
        await self._acknowledged.until_warm()

    def _routes(self, version: str, table: Table) -> dict[str, bytes]:
        """The route files, all of them made before the first one is written."""
        public = tuple(site for site in table.sites if site.is_public)
        inside = tuple(site for site in table.sites if site.encryption is None)
        found = {
            resources.ENTRANCES: entrance_configuration(
                resources.ENTRANCES, version, table.entrances
            ),
            resources.INTERNAL: route_configuration(resources.INTERNAL, version, inside),
            resources.PUBLIC: route_configuration(
                resources.PUBLIC, version, public, self.ports.https
            ),
        }
        return {name: content_of(version, [each]) for name, each in found.items()}

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
            if self.ports.https and self.envoy.is_running and not self._has_chain(host):
                raise GatewayUnavailable(
                    f"the gateway does not serve {host} by TLS",
                    hint="compartment agent stop; the next agent puts it in force",
                )

    async def _await_certificate(self, host: str, leaf_der: bytes, mark: int) -> None:
        await self._acknowledged.of_certificate(
            host, leaf_der, mark, self.ports, lambda: self._has_chain(host)
        )

    def _has_chain(self, host: str) -> bool:
        listeners = self._told.resources(_PORTS)
        return any(host in tls.hosts_of(each) for each in listeners if each["name"] == SECURE)


def _check_free(name: str, host: str, port: int) -> None:
    if name == SECURE:
        check_secure(host, port)
    else:
        check_free(name, host, port)


def _free_above(port: int, taken: set[int]) -> int:
    """The next port that is free: one that a person would guess."""
    for each in range(port + 1, port + _NEAR):
        if each not in taken and can_bind(each, again=True):
            taken.add(each)
            return each
    return free_port(taken)
