"""Who reaches whom in an environment: its networks, and what leads in from this machine. Pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from core.contained import published_json
from core.container import Network, NetworkLink
from core.model import EngineName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from core.container import Container
    from core.model import Service

Json = dict[str, Any]

SHARED = "shared"
"""What the network of a project without a Compose file is called here."""

_BESIDE = "service:"
_TO_SHARED = NetworkLink(Network(""))


def reach_of(services: Iterable[Service], engine: EngineName | None) -> Json:
    """The networks with their services, both in the order of their names.

    A service whose containers are in the network of another one (`network_mode: service:NAME`) is
    listed where that one is, which it has as `beside`: there it has no name of its own. On the
    process engine all services share the network of this machine.
    """
    known = {each.name: each for each in sorted(services, key=lambda each: each.name)}
    owners = {name: _owner(name, known) for name in known}
    at = {name: known[owner].container for name, owner in owners.items()}
    is_apart = engine is not EngineName.PROCESS
    return {
        "networks": _networks(at, owners) if is_apart else [],
        "published": [
            {"serviceName": name, **published_json(each)}
            for name, service in known.items()
            for each in (service.container.published if service.container else ())
        ],
        "hostNetwork": _in_mode("host", at) if is_apart else list(known),
        "none": _in_mode("none", at),
    }


def _owner(name: str, known: Mapping[str, Service]) -> str:
    """The service in whose network the containers of a service are: mostly its own."""
    owner, passed = name, {name}
    while True:
        container = known[owner].container
        mode = (container.network_mode if container else None) or ""
        target = mode.removeprefix(_BESIDE)
        # It may be gone, or have become something else since.
        if target == mode or target not in known or target in passed:
            return owner
        owner = target
        passed.add(owner)


def _in_mode(mode: str, at: Mapping[str, Container | None]) -> list[str]:
    return [name for name, found in at.items() if found and found.network_mode == mode]


def _networks(at: Mapping[str, Container | None], owners: Mapping[str, str]) -> list[Json]:
    drawn: dict[str, Network] = {}
    members: defaultdict[str, list[Json]] = defaultdict(list)
    for name, container in at.items():
        links = container.networks if container else (_TO_SHARED,)
        for link in links:
            drawn[link.network.key] = link.network
            members[link.network.key].append(_member(name, link, owners[name]))
    return [_network(found, members[key]) for key, found in sorted(drawn.items())]


def _member(name: str, link: NetworkLink, owner: str) -> Json:
    is_itself = owner == name
    return {
        "serviceName": name,
        "aliases": list(link.aliases) if is_itself else [],
        "beside": None if is_itself else owner,
    }


def _network(network: Network, members: list[Json]) -> Json:
    return {
        "name": network.key or SHARED,
        "isInternal": network.is_internal,
        "isExternal": network.is_external,
        "isShared": network.key == "",
        "services": members,
    }
