"""Where the services of a Compose project are reached: by name on each network, and from outside.

Each port of an activation is an upstream of its own. Pure: it reads the ledger.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from core.container import Protocol
from core.errors import Conflict
from core.gateway.table import TCP_SUFFIX, Door, Entrance, Upstream
from core.promotion.access import is_restricted
from core.promotion.hosts import host_label

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from core.container import Published
    from core.engines.base import Holder
    from core.gateway.table import Check, User
    from core.model import Service
    from core.records import Activation, Deployment, ServedPort, Target

EVERYWHERE = "0.0.0.0"  # noqa: S104 - a port that names no address is published on all of them


def is_http(port: ServedPort) -> bool:
    """Whether its requests are told apart, or its connections passed on as they are."""
    return port.protocol is Protocol.HTTP


def upstream_of(activation: Activation, number: int) -> str | None:
    """The name of the upstream behind a port of an activation; None where it serves no such."""
    main = next((each.number for each in activation.ports if is_http(each)), None)
    for port in activation.ports:
        if port.number == number:
            if number == main:
                return activation.name
            return f"{activation.name}-{number}{'' if is_http(port) else TCP_SUFFIX}"
    return None


def upstreams_of(activation: Activation, check: Check | None) -> Iterator[Upstream]:
    """One for each of its ports; the gateway looks at its main one."""
    for port in activation.ports:
        name = upstream_of(activation, port.number)
        if name is not None and port.addresses:
            yield Upstream(name, port.addresses, check if name == activation.name else None)


def inner_entrances(
    target: Target, service: str, reached: Activation, holders: Collection[Holder]
) -> Iterator[Entrance]:
    """One for each port of what a service's name leads to, with a door on each of its networks."""
    if not holders:
        return
    label = _label(target, service)
    for port in reached.ports:
        name = f"{label}.{port.number}"
        doors = (
            Door(f"{name}@{each.network}", each.address, port.number, each.namespace)
            for each in holders
        )
        yield Entrance(
            name, tuple(doors), upstream_of(reached, port.number), is_tcp=not is_http(port)
        )


def published_entrances(
    deployment: Deployment,
    live: Activation | None,
    known: Activation | None,
    users: tuple[User, ...] | None,
    *,
    is_new: bool,
) -> Iterator[Entrance]:
    """One for each published port of an active deployment. It stays while nothing is live.

    `known` is what was live last: it tells what is spoken there. `users` are who alone may come in;
    where no login can be asked for, nobody does.
    """
    container = deployment.service.container
    for each in container.published if container else ():
        if each.is_udp or each.port is None:
            continue
        spoken = {port.number: port for port in known.ports} if known else {}
        at = spoken.get(each.target)
        name = f"published.{each.port}.{host_of(each)}"
        door = Door(name, host_of(each), each.port, is_published=True, is_new=is_new)
        is_tcp = at is None or not is_http(at)
        may_enter = users is None or not is_tcp
        upstream = upstream_of(live, each.target) if live and may_enter else None
        yield Entrance(name, (door,), upstream, is_tcp=is_tcp, users=users)


def check_access(service: Service, ports: Iterable[ServedPort]) -> None:
    """Refuses a service that asks for a login and is published where none can be asked for.

    Raises:
        Conflict: which port it is.
    """
    published = service.container.published if service.container else ()
    outside = {each.target for each in published if is_restricted(service)}
    for port in ports:
        if port.number in outside and not is_http(port):
            raise Conflict(
                f"{service.name} has accessMode authenticated, and its published port"
                f" {port.number} speaks plain TCP, where no login can be asked for",
                hint="do not publish it, or say what it speaks:"
                f" x-compartment: {{protocol: {{{port.number}: http}}}}",
            )


def host_of(published: Published) -> str:
    """The address of this machine that a port is published on."""
    return published.host or EVERYWHERE


def _label(target: Target, service: str) -> str:
    named = f"{target.project}\0{target.environment}\0{service}"
    digest = hashlib.sha256(named.encode()).hexdigest()[:8]
    return f"{host_label(target, service)}.{digest}"
