"""Which listeners Envoy can really have: one that it cannot would cost an update all the others."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import Conflict
from core.gateway.envoy import holder_of
from core.gateway.resources import INTERNAL, PUBLIC
from core.ports import bind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.gateway.resources import Json
    from core.gateway.table import Door, Entrance

_log = logging.getLogger(__name__)


def usable(wanted: list[Json], before: list[Json]) -> list[Json]:
    """The listeners without those in a network that has ended, or on a port of somebody else.

    `before` is what Envoy listens on already.
    """
    has = [each["address"] for each in before]
    return [
        each for each in wanted if _has_network(each) and (each["address"] in has or _is_free(each))
    ]


def check_new(entrances: Iterable[Entrance], before: list[Json]) -> None:
    """Refuses new doors that could not open.

    Raises:
        Conflict: who holds the port, or that it may not be listened on.
    """
    has = {each["name"] for each in before}
    for entrance in entrances:
        for door in entrance.doors:
            if door.is_new and door.name not in has:
                check_can_open(door)


def check_can_open(door: Door) -> None:
    """Refuses a door on this machine that could not open now.

    Raises:
        Conflict: who holds the port, or that it may not be listened on.
    """
    try:
        bind(door.address, door.port)
    except PermissionError:
        raise Conflict(
            f"port {door.port} may not be listened on by this user",
            hint="publish one above 1023, or allow it:"
            f" sudo sysctl net.ipv4.ip_unprivileged_port_start={door.port}",
            code="port_forbidden",
        ) from None
    except OSError as error:
        reason = error.strerror or error
        raise Conflict(
            f"port {door.address}:{door.port} cannot be published: {reason}{holder_of(door.port)}",
            hint="stop who holds it, or publish another one",
            code="port_conflict",
        ) from None


def _has_network(listener: Json) -> bool:
    namespace = _namespace(listener)
    return namespace is None or Path(namespace).exists()


def _is_free(listener: Json) -> bool:
    address = listener["address"].get("socket_address")
    # The two that a person has chosen are checked, and refused, where they are chosen.
    if address is None or listener["name"] in (PUBLIC, INTERNAL) or _namespace(listener):
        return True
    try:
        bind(address["address"], address["port_value"])
    except OSError as error:
        _log.warning(
            "port %s, where %s is reached, cannot be listened on: %s",
            address["port_value"],
            listener["name"],
            error.strerror or error,
        )
        return False
    return True


def _namespace(listener: Json) -> str | None:
    found: str | None = (
        listener["address"].get("socket_address", {}).get("network_namespace_filepath")
    )
    return found
