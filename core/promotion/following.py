"""Compose services that are replaced because another one is: `restart: true`, or its network."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.promotion.plan import Action
from core.promotion.specs import BESIDE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from core.model import Service
    from core.promotion.plan import PlannedService


def leaders_of(service: Service) -> tuple[str, ...]:
    """The services with which one is replaced."""
    if service.container is None:
        return ()
    mode = service.container.network_mode or ""
    beside = (mode.removeprefix(BESIDE),) if mode.startswith(BESIDE) else ()
    return (*service.container.restarts_with, *beside)


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
