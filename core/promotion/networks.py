"""The networks that an environment needs, with the names that are held on them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from core.engines.base import WantedNetwork

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.container import Network
    from core.model import Service
    from core.promotion.parts import Parts
    from core.records import Target


def networks_of(parts: Parts, target: Target) -> list[WantedNetwork]:
    """All that its services need, those of a run that goes on included."""
    contained = [each for each in _services(parts, target) if each.container is not None]
    if contained:
        return _drawn(contained)
    names = sorted(each.service for each in parts.router.hosts.of(target))
    return [WantedNetwork(None, dict.fromkeys(names, ()))]


def _services(parts: Parts, target: Target) -> list[Service]:
    """Those that are active and those of open runs: of one service maybe two that differ."""
    of_runs = {id_ for run in parts.ledger.runs.values() for id_ in run.deployment_ids}
    return [
        each.service
        for each in parts.ledger.deployments.values()
        if each.target == target and (each.is_active or each.id in of_runs)
    ]


def holds_name(service: Service) -> bool:
    """Whether the names of a Compose service are held, so that they outlive its containers.

    What stops first has one address, which its containers hand on: they carry the names.
    """
    is_held = service.kind.is_long_running and not service.strategy.stops_first
    return is_held and service.container is not None


def _drawn(services: Iterable[Service]) -> list[WantedNetwork]:
    networks: dict[str, Network] = {}
    names: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    reserved: dict[str, list[str]] = defaultdict(list)
    for service in services:
        for link in service.container.networks if service.container else ():
            networks[link.network.key] = link.network
            if address := link.settings.get("ipv4_address"):
                reserved[link.network.key].append(address)
            if holds_name(service):
                names[link.network.key][service.name] = link.aliases
    return [
        WantedNetwork(found, names[key], tuple(reserved[key]))
        for key, found in sorted(networks.items())
    ]
