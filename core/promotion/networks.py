"""The networks that an environment needs, with the names that are held on them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from core.engines.base import WantedNetwork
from core.model import Status
from core.records import ActivationState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from core.container import Network, NetworkLink
    from core.engines.base import Engine
    from core.model import Service
    from core.promotion.parts import Parts
    from core.records import Deployment, Target


async def prepare_networks(
    parts: Parts, engine: Engine, target: Target, *, ended: str | None = None
) -> None:
    """Has the networks of an environment be what its services need now.

    Done whenever somebody else begins, or ceases, to carry the name of a service.

    Raises:
        CompartmentError: a network cannot be made, or changed.
    """
    await engine.prepare(target, networks_of(parts, target, ended=ended))


def networks_of(parts: Parts, target: Target, *, ended: str | None = None) -> list[WantedNetwork]:
    """All that its services need, those of a run that goes on, and what still runs, included.

    `ended` is a run that goes back: what it began counts no more, and what stood aside does.
    """
    found = _deployments(parts, target, ended)
    services = [each.service for each in (*_running(parts, target), *found)]
    contained = [each for each in services if each.container is not None]
    if contained:
        return _drawn(contained, _holding(parts, found, ended))
    names = sorted(each.service for each in parts.router.hosts.of(target))
    return [WantedNetwork(None, dict.fromkeys(names, ()))]


def _running(parts: Parts, target: Target) -> list[Deployment]:
    ledger = parts.ledger
    found = [ledger.deployments[each.deployment_id] for each in ledger.activations.values()]
    return [each for each in found if each.target == target]


def _deployments(parts: Parts, target: Target, ended: str | None) -> list[Deployment]:
    """Those that are active and those of runs that go on: of one service maybe two that differ.

    A run that is queued has its turn later.
    """
    going_on = [
        each
        for each in parts.ledger.runs.values()
        if each.status is Status.RUNNING and each.id != ended
    ]
    of_runs = {id_ for run in going_on for id_ in run.deployment_ids}
    return [
        each
        for each in parts.ledger.deployments.values()
        if each.target == target
        and (each.is_active or (each.id in of_runs and each.status is not Status.FAILED))
    ]


def _holding(parts: Parts, found: Iterable[Deployment], ended: str | None) -> list[Service]:
    """Those whose names are held now.

    What is live and carries its name does so until it stands aside; what stands aside leaves the
    name to its successor, whichever way that has it.
    """
    known = parts.ledger.activations.values()
    standing = [each for each in known if each.state is ActivationState.ASIDE]
    aside = {
        each.deployment_id
        for each in standing
        if each.replaced_by != ended and each.replaced_by in parts.ledger.runs
    }
    live = {each.deployment_id for each in known if each.state is ActivationState.LIVE}
    live |= {each.deployment_id for each in standing} - aside  # it comes back
    carried = {
        each.service.name for each in found if each.id in live and not holds_name(each.service)
    }
    return [
        each.service
        for each in found
        if holds_name(each.service) and each.id not in aside and each.service.name not in carried
    ]


def holds_name(service: Service) -> bool:
    """Whether the names of a Compose service are held, so that they outlive its containers.

    What stops first has one address, which its containers hand on: they carry the names.
    """
    is_held = service.kind.is_long_running and not service.strategy.stops_first
    return is_held and service.container is not None


def _drawn(services: Iterable[Service], holding: Iterable[Service]) -> list[WantedNetwork]:
    networks: dict[str, Network] = {}
    reserved: dict[str, list[str]] = defaultdict(list)
    for link in _links(services):
        networks[link.network.key] = link.network
        if address := link.settings.get("ipv4_address"):
            reserved[link.network.key].append(address)
    names: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for service in holding:
        for link in _links([service]):
            held = names[link.network.key]
            # Until the switch callers may know either of two versions by names of its own.
            both = (*held.get(service.name, ()), *link.aliases)
            held[service.name] = tuple(dict.fromkeys(both))
    return [
        WantedNetwork(found, names[key], tuple(reserved[key]))
        for key, found in sorted(networks.items())
    ]


def _links(services: Iterable[Service]) -> Iterator[NetworkLink]:
    for service in services:
        yield from service.container.networks if service.container else ()
