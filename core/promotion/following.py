"""Compose services that are replaced because another one is: `restart: true`, or its network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.lines import stamp
from core.promotion.fitting import created
from core.promotion.plan import Action
from core.promotion.specs import BESIDE
from core.records import Deployment, new_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from core.journal import Record
    from core.model import Service
    from core.promotion.ledger import Ledger
    from core.promotion.plan import PlannedService
    from core.records import Activation, Run


def network_of(service: Service) -> str | None:
    """The service whose network one shares, if it does."""
    mode = (service.container.network_mode if service.container else None) or ""
    return mode.removeprefix(BESIDE) if mode.startswith(BESIDE) else None


def leaders_of(service: Service) -> tuple[str, ...]:
    """The services with which one is replaced."""
    if service.container is None:
        return ()
    shared = network_of(service)
    return (*service.container.restarts_with, *((shared,) if shared else ()))


def leaders_first(
    activations: Iterable[Activation], deployments: Mapping[str, Deployment]
) -> list[Activation]:
    """What shares the network of another one can only start once that is there."""
    return sorted(
        activations,
        key=lambda each: network_of(deployments[each.deployment_id].service) is not None,
    )


def sharing(services: Iterable[Service], stopping: Collection[str]) -> set[str]:
    """Those that have to stop because the container whose network they are in does."""
    return {each.name for each in services if network_of(each) in stopping}


def with_followers(
    names: Sequence[str], services: Mapping[str, Service], active: Collection[str]
) -> list[str]:
    """The services named, and what is active and would be replaced with one of them."""
    found = list(names)
    for name in found:  # it grows while it is read: followers have followers
        found += [
            each.name
            for each in services.values()
            if name in leaders_of(each) and each.name in active and each.name not in found
        ]
    return found


def follow(planned: Sequence[PlannedService], named: Collection[str]) -> list[PlannedService]:
    """The plan with followers replaced where their leaders are, and those not named only there."""
    found = {
        each.service.name: each if each.service.name in named else _left(each) for each in planned
    }
    replaced = [name for name, each in found.items() if each.action is not Action.LEAVE]
    for leader in replaced:  # it grows while it is read
        for name, each in found.items():
            if each.action is Action.LEAVE and leader in leaders_of(each.service):
                found[name] = replace(
                    each, action=Action.DEPLOY, because=f"it is replaced together with {leader}"
                )
                replaced.append(name)
    return list(found.values())


def _left(planned: PlannedService) -> PlannedService:
    return replace(planned, action=Action.LEAVE, needs_build=False, because="it was not named")


def followers(names: Collection[str], active: Mapping[str, Deployment]) -> list[Deployment]:
    """What is active and is replaced with one of these services, without being one of them."""
    services = {name: each.service for name, each in active.items()}
    return [
        active[name]
        for name in with_followers([*names], services, active)
        if name not in names and services[name].kind.is_long_running
    ]


async def bring_along(
    ledger: Ledger, run_id: str, found: Collection[Deployment]
) -> list[Deployment]:
    """Adds to a run what follows its services now, as it is; returns these new deployments."""
    run = ledger.runs[run_id]
    names = {each.service.name for each in found}
    again = [_again(each, run) for each in followers(names, ledger.active(run.target))]

    def added() -> list[Record]:
        ids = (*run.deployment_ids, *(each.id for each in again))
        events = [created(each) for each in again]
        return [*again, *events, ledger.runs[run_id].changed(deployment_ids=ids)]

    if again:
        await ledger.update(added)
    return again


def _again(active: Deployment, run: Run) -> Deployment:
    return Deployment(
        id=new_id("dep"),
        run_id=run.id,
        target=active.target,
        service=active.service,
        rules=active.rules,
        artifact_id=active.artifact_id,
        variables=active.variables,
        assigned=active.assigned,
        created_at=stamp(),
        engine=active.engine,
        label=active.label,
        route_host=active.route_host,
        promoted_from=active.promoted_from,
    )
