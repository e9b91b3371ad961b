"""Which listeners Envoy can really have: one that it cannot would cost an update all the others."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.errors import Conflict, GatewayUnavailable
from core.gateway.envoy import holder_of
from core.gateway.table import INTERNAL, PUBLIC
from core.gateway.tls import SECURE
from core.ports import bind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.gateway.resources import Json
    from core.gateway.table import Entrance

_CLOSING_LIMIT_S: Final = 2.0
_CLOSING_PAUSE_S: Final = 0.002
_EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - it is compared, not bound


def usable(wanted: list[Json], before: list[Json]) -> list[Json]:
    """The listeners without those in a network that has ended, or on a port of somebody else.

    `before` is what Envoy listens on already.
    """
    held = Addresses(before)
    return [
        each
        for each in wanted
        if _has_network(each) and (held.meets(each["address"]) or _refusal(each) is None)
    ]


def left_out(wanted: list[Json], found: list[Json]) -> dict[str, Json]:
    """Those of the listeners wanted that are not among `found` for their port, by their names."""
    open_ = {each["name"] for each in found}
    return {
        each["name"]: each for each in wanted if each["name"] not in open_ and _has_network(each)
    }


def why_shut(listener: Json) -> str | None:
    """Why a door cannot be opened, in words; None where it can be. Not for the event loop."""
    refusal = _refusal(listener)
    if refusal is None:
        return None
    port = listener["address"]["socket_address"]["port_value"]
    where = f"port {port}, where {listener['name']} is reached"
    return f"{where}, cannot be listened on: {refusal}{holder_of(port)}"


def check_new(entrances: Iterable[Entrance], before: list[Json]) -> None:
    """Refuses new doors that could not open.

    Raises:
        Conflict: who holds the port, or that it may not be listened on.
    """
    held = Addresses(before)
    for entrance in entrances:
        for door in entrance.doors:
            address = {"socket_address": {"address": door.address, "port_value": door.port}}
            if door.is_new and not held.meets(address):
                check_can_open(door.address, door.port)


def in_the_way(wanted: list[Json], before: list[Json]) -> list[Json]:
    """Listeners that must close before others can open: Envoy opens what is new at once.

    That is where a port goes from all addresses to one, or back. What keeps its address is handed
    on without a moment in which nobody listens.
    """
    opening = Addresses(wanted)
    return [
        each
        for each in before
        if not opening.has(each["address"]) and opening.meets(each["address"])
    ]


async def until_closed(listeners: Iterable[Json]) -> None:
    """Returns when nobody listens there, or does not stop to: then the next update is refused."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_CLOSING_LIMIT_S):
            while not all(_refusal(each) is None for each in listeners):
                await asyncio.sleep(_CLOSING_PAUSE_S)


class Addresses:
    """Those of some listeners. A thousand are held against a thousand: none is looked through."""

    def __init__(self, listeners: Iterable[Json]) -> None:
        self._hosts: dict[object, set[str]] = {}
        """By everything else of an address, such as its port."""
        for each in listeners:
            host, rest = _apart(each["address"])
            self._hosts.setdefault(rest, set()).add(host)

    def has(self, address: Json) -> bool:
        """Whether one of them has just this address."""
        host, rest = _apart(address)
        return host in self._hosts.get(rest, ())

    def meets(self, address: Json) -> bool:
        """Whether one has it, or its port at all addresses, or at one of them."""
        host, rest = _apart(address)
        hosts = self._hosts.get(rest, set())
        return host in hosts or bool(hosts and _EVERYWHERE in {host, *hosts})


def _apart(address: Json) -> tuple[str, object]:
    """The host, and whatever else tells two addresses apart."""
    if "pipe" in address:
        return "", address["pipe"]["path"]
    socket = dict(address["socket_address"])
    return socket.pop("address"), tuple(sorted(socket.items()))


def check_can_open(host: str, port: int) -> None:
    """Refuses a port of this machine that could not be listened on now.

    Raises:
        Conflict: who holds the port, or that it may not be listened on.
    """
    try:
        bind(host, port)
    except PermissionError:
        raise Conflict(
            f"port {port} may not be listened on by this user",
            hint="publish one above 1023, or allow it:"
            f" sudo sysctl net.ipv4.ip_unprivileged_port_start={port}",
            code="port_forbidden",
        ) from None
    except OSError as error:
        reason = error.strerror or error
        raise Conflict(
            f"port {host}:{port} cannot be published: {reason}{holder_of(port)}",
            hint="stop who holds it, or publish another one",
            code="port_conflict",
        ) from None


def check_secure(host: str, port: int) -> None:
    """Refuses a port for TLS that could not be listened on now.

    Raises:
        GatewayUnavailable: who holds the port, or that it may not be listened on.
    """
    try:
        bind(host, port)
    except OSError as error:
        is_forbidden = isinstance(error, PermissionError)
        allow = f"allow it: sudo sysctl net.ipv4.ip_unprivileged_port_start={port}, or "
        raise GatewayUnavailable(
            f"the port for TLS {host}:{port} cannot be used:"
            f" {error.strerror or error}{holder_of(port)}",
            hint=f"{allow if is_forbidden else ''}choose another one:"
            " `compartment agent start --https-port PORT`",
        ) from error


def _has_network(listener: Json) -> bool:
    namespace = _namespace(listener)
    return namespace is None or Path(namespace).exists()


def _refusal(listener: Json) -> str | None:
    """Why its port cannot be listened on, as far as that can be known from here."""
    address = listener["address"].get("socket_address")
    # Those that a person has chosen are checked, and refused, where they are chosen.
    if address is None or listener["name"] in (PUBLIC, INTERNAL, SECURE) or _namespace(listener):
        return None
    try:
        bind(address["address"], address["port_value"])
    except OSError as error:
        return error.strerror or str(error)
    return None


def _namespace(listener: Json) -> str | None:
    found: str | None = (
        listener["address"].get("socket_address", {}).get("network_namespace_filepath")
    )
    return found
