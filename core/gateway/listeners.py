"""Where Envoy listens: its own ports, and the doors of services."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import GatewayUnavailable
from core.gateway import resources, tls
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
from core.gateway.envoy import check_free
from core.gateway.table import INTERNAL, PUBLIC, Encryption
from core.gateway.tls import SECURE
from core.gateway.told import new_version
from core.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from core.gateway.acknowledged import Acknowledgements
    from core.gateway.table import Entrance, Ports, Table
    from core.gateway.tls import Secrets
    from core.gateway.told import Told

_PORTS = "listeners"
_OWN = (PUBLIC, INTERNAL, SECURE)
_TRIES = 3
"""A namespace may end at the moment in which Envoy is told to listen in it."""


class Listeners:
    """What Envoy is told of listeners. Its user serialises the updates."""

    def __init__(
        self,
        folder: Path,
        entrances: Path,
        secrets: Secrets,
        told: Told,
        acknowledged: Acknowledgements,
    ) -> None:
        self._folder = folder
        self._entrances = entrances
        self._secrets = secrets
        self._told = told
        self._acknowledged = acknowledged
        self.has_shut = asyncio.Event()
        """Set while some doors are left out."""
        self._shut: dict[str, resources.Json] = {}

    def choose_ports(self, wanted: Ports, taken: set[int], *, is_serving: bool) -> Ports:
        """The ports to listen on: 0 is the one that is listened on already, else any free one."""
        now = {
            each["name"]: each["address"]["socket_address"]["port_value"]
            for each in (self._all() if is_serving else ())
            if each["name"] in _OWN
        }
        public = wanted.public or now.get(PUBLIC) or free_port(taken)
        internal = wanted.internal or now.get(INTERNAL)
        internal = internal or free_port({public, *taken})
        https = wanted.https
        if https == 0:
            https = now.get(SECURE) or free_port({public, internal, *taken})
        return replace(wanted, public=public, internal=internal, https=https)

    def has(self, name: str) -> bool:
        """Whether a door was opened."""
        return any(each["name"] == name for each in self._all())

    def has_chain(self, host: str) -> bool:
        """Whether a host is served by TLS."""
        return any(host in tls.hosts_of(each) for each in self._all() if each["name"] == SECURE)

    async def shut(self) -> dict[str, str | None]:
        """Doors that are left out, somebody else being on their port: by their names, why.

        None says of one that it could be opened by now, which the next update does.
        """
        found = self._shut
        return await asyncio.to_thread(
            lambda: {name: why_shut(each) for name, each in found.items()}
        )

    def check_new(self, entrances: Iterable[Entrance]) -> None:
        """Refuses new doors that could not open.

        Raises:
            Conflict: who holds the port, or that it may not be listened on.
        """
        check_new(entrances, self._all())

    def write_first(self, ports: Ports, table: Table) -> None:
        """Writes what an Envoy that starts listens on."""
        self._told.write(_PORTS, new_version(), self._usable(self._wanted(ports, table), []))

    async def serve(self, ports: Ports, table: Table) -> None:
        """Listens where a table needs it, and nowhere else.

        Raises:
            GatewayUnavailable: Envoy refused; it listens where it did.
        """
        await self._write(self._wanted(ports, table))

    async def serve_also(self, ports: Ports, table: Table) -> None:
        """Listens where a table needs it, and goes on where it was needed before.

        Raises:
            GatewayUnavailable: Envoy refused; it listens where it did.
        """
        wanted = self._wanted(ports, table)
        names, opening = {listener["name"] for listener in wanted}, Addresses(wanted)
        left_over = [
            each
            for each in self._all()
            if each["name"] not in names and not opening.meets(each["address"])
        ]
        await self._write([*wanted, *left_over])

    async def move(self, ports: Ports) -> None:
        """Where other ports are wanted than the running Envoy has, it listens there instead.

        Raises:
            GatewayUnavailable: one is taken, or Envoy refused; it listens where it did.
        """
        before = self._all()
        old = {each["name"]: each["address"] for each in before}
        hosts = next((tls.hosts_of(each) for each in before if each["name"] == SECURE), ())
        wanted = self._own(ports, hosts)
        for new in wanted:
            if old.get(new["name"]) != new["address"]:
                address = new["address"]["socket_address"]
                _check_free(new["name"], address["address"], address["port_value"])
        others = [each for each in before if each["name"] not in _OWN]
        await self._write([*wanted, *others, *self._shut.values()])

    def _all(self) -> list[resources.Json]:
        return self._told.resources(_PORTS)

    def _wanted(self, ports: Ports, table: Table) -> list[resources.Json]:
        hosts = (each.host for each in table.sites if each.encryption is Encryption.ON)
        return [
            *self._own(ports, hosts),
            *resources.entrance_listeners(self._folder, self._entrances, table.entrances),
        ]

    def _own(self, ports: Ports, hosts: Iterable[str]) -> list[resources.Json]:
        """Those that a person chooses; `hosts` have TLS, unless their certificate is gone."""
        certified = filter(self._secrets.has, hosts)
        return [
            *resources.listeners(self._folder, ports),
            *resources.secure_listeners(self._folder, ports, certified, self._secrets.folder),
        ]

    async def _write(self, wanted: list[resources.Json]) -> None:
        """Listens where it is wanted and can be done; a namespace that has ended is left out."""
        before = self._all()
        for tries in range(1, _TRIES + 1):
            found = self._usable(wanted, before)
            if found == before:
                return
            try:
                with self._told.restored_on_failure(_PORTS):
                    if closing := in_the_way(found, before):
                        await self._tell([each for each in before if each not in closing])
                        await until_closed(closing)
                    await self._tell(found)
            except GatewayUnavailable:
                if tries == _TRIES or usable(wanted, before) == found:
                    raise
            else:
                return

    async def _tell(self, listeners: list[resources.Json]) -> None:
        version, mark = new_version(), self._acknowledged.mark()
        self._told.write(_PORTS, version, listeners)
        await self._acknowledged.of_listeners(version, mark)

    def _usable(
        self, wanted: list[resources.Json], before: list[resources.Json]
    ) -> list[resources.Json]:
        """Those that can be listened on; which are left out for their port is remembered."""
        found = usable(wanted, before)
        self._shut = left_out(wanted, found)
        if self._shut:
            self.has_shut.set()
        else:
            self.has_shut.clear()
        return found


def _check_free(name: str, host: str, port: int) -> None:
    if name == SECURE:
        check_secure(host, port)
    else:
        check_free(name, host, port)
