"""What a service is for, and how its successor takes its place; each with the reason.

The rules are in `docs/compose.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.config.compose.mapping.networks import has_fixed_address
from core.config.compose.mapping.relations import shared_network
from core.container import MountType, Protocol
from core.model import ServiceKind, Strategy

if TYPE_CHECKING:
    from core.config.compose.mapping.extension import Extension
    from core.config.compose.mapping.given import Json
    from core.config.compose.mapping.relations import Relations
    from core.config.compose.mapping.well_known import KnownImage
    from core.container import Mount, NetworkLink, Port, Published

_SAID = "x-compartment says so"
_ORDERS = {"stop-first": Strategy.STOP_FIRST, "start-first": Strategy.OVERLAP}


@dataclass(frozen=True, slots=True)
class Seen:
    """One service, as far as its role follows from it."""

    name: str
    service: Json
    extension: Extension
    relations: Relations
    ports: tuple[Port, ...]
    published: tuple[Published, ...]
    mounts: tuple[Mount, ...]
    links: tuple[NetworkLink, ...]
    image: KnownImage | None


def kind_of(seen: Seen) -> tuple[ServiceKind, str]:
    """Return the kind of a service, and why."""
    if seen.extension.kind is not None:
        return seen.extension.kind, _SAID
    if waiting := seen.relations.completed_for.get(seen.name):
        verb = "waits" if len(waiting) == 1 else "wait"
        return ServiceKind.JOB, f"{' and '.join(waiting)} {verb} for its end"
    outside = {each.target for each in seen.published if not each.is_udp}
    for port in seen.ports:
        if port.protocol is Protocol.HTTP:
            kind = ServiceKind.WEB if port.number in outside else ServiceKind.API
            verb = "publishes" if kind is ServiceKind.WEB else "listens on"
            return kind, f"it {verb} {port.number}: {port.because}"
    if seen.ports:
        port = seen.ports[0]
        return ServiceKind.TCP, f"it listens on {port.number}: {port.because}"
    return ServiceKind.WORKER, "no port of it is known"


def strategy_of(seen: Seen) -> tuple[Strategy, str]:
    """Return how a successor takes the place of a service, and why."""
    if seen.extension.strategy is not None:
        return seen.extension.strategy, _SAID
    if reason := why_never_two(seen):
        return Strategy.STOP_FIRST, reason
    order = ((seen.service.get("deploy") or {}).get("update_config") or {}).get("order")
    if order:
        return _ORDERS[order], f"its update_config.order is {order}"
    if reason := _why_in_its_own_way(seen.service):
        return Strategy.STOP_FIRST, reason
    if reason := _why_alone_with_data(seen):
        return Strategy.STOP_FIRST, reason
    return Strategy.OVERLAP, "nothing keeps two of it from running side by side"


def why_never_two(seen: Seen) -> str | None:
    """Return why two containers of a service cannot run at the same moment; None if they can."""
    udp = [str(each.port or each.target) for each in seen.published if each.is_udp]
    if udp:
        return f"it publishes {udp[0]}/udp, which only one container can have"
    if has_fixed_address(seen.links):
        return "the file gives it an address of its own"
    if seen.ports and seen.service.get("network_mode") == "host":
        return f"it listens on {seen.ports[0].number} of this machine (network_mode host)"
    if seen.ports and (other := shared_network(seen.service)):
        return f"it listens on {seen.ports[0].number} in the network of {other}"
    return None


def _why_in_its_own_way(service: Json) -> str | None:
    """Why its successor may find its ports taken, which nobody has to declare there."""
    if service.get("network_mode") == "host":
        return "whatever it listens on is of this machine (network_mode host)"
    if other := shared_network(service):
        return f"whatever it listens on is in the network of {other}"
    return None


def _why_alone_with_data(seen: Seen) -> str | None:
    if seen.image and seen.image.is_database:
        return f"{seen.service['image']} is a database"
    for mount in seen.mounts:
        if mount.type is not MountType.VOLUME or mount.is_read_only:
            continue
        if not mount.source and not _is_inside_bind(mount, seen.mounts):
            return f"nobody else has its volume at {mount.target}"
        if seen.relations.users.get(mount.source) == (seen.name,):
            return f"nobody else has the volume {mount.source}"
    return None


def _is_inside_bind(mount: Mount, mounts: tuple[Mount, ...]) -> bool:
    """Whether an anonymous volume only hides a part of what is bound, such as node_modules."""
    return any(
        each.type is MountType.BIND and mount.target.startswith(f"{each.target.rstrip('/')}/")
        for each in mounts
    )
