"""What the services of a project are to each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.config.compose.mapping.extension import EXTENSION
from core.config.compose.mapping.mounts import volume_mounts
from core.container import MountType
from core.model import Condition, Dependency, ServiceKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.config.compose.mapping.given import Json

_CONDITIONS = {
    "service_started": Condition.STARTED,
    "service_healthy": Condition.HEALTHY,
    "service_completed_successfully": Condition.COMPLETED,
}


@dataclass(frozen=True, slots=True)
class Relations:
    """Who waits for whose end, and who else has a volume."""

    completed_for: Mapping[str, tuple[str, ...]]
    """By service those that wait until it has ended well."""
    jobs: frozenset[str]
    """Services that run and end: those, and those that say so themselves."""
    users: Mapping[str, tuple[str, ...]]
    """By the key of a volume the services that mount it."""


def relations(model: Json) -> Relations:
    """Return what the services of a model are to each other."""
    completed: dict[str, tuple[str, ...]] = {}
    users: dict[str, tuple[str, ...]] = {}
    for name in model["services"]:
        for wait, said in waits_of(model, name).items():
            if _CONDITIONS[said["condition"]] is Condition.COMPLETED:
                completed[wait] = (*completed.get(wait, ()), name)
        mounts = volume_mounts(model, name)
        for key in {each.source for each in mounts if each.type is MountType.VOLUME} - {""}:
            users[key] = (*users.get(key, ()), name)
    jobs = {name for name, said in model["services"].items() if _says_job(said)}
    return Relations(completed, frozenset(jobs | completed.keys()), users)


def _says_job(service: Json) -> bool:
    block = service.get(EXTENSION)
    return isinstance(block, dict) and block.get("kind") == ServiceKind.JOB


def waits_of(model: Json, name: str) -> dict[str, Json]:
    """Return what a service waits for, as the file says it; what is not run is not waited for."""
    service = model["services"][name]
    implied = shared_network(service)
    said: dict[str, Json] = dict(service.get("depends_on") or {})
    if implied and implied not in said:
        said[implied] = {"condition": "service_started", "restart": True}
    return {key: each for key, each in said.items() if replicas_of(model["services"].get(key))}


def shared_network(service: Json) -> str | None:
    """Return the service whose network a service is in: `network_mode: service:NAME`."""
    kind, _, other = (service.get("network_mode") or "").partition(":")
    return other if kind == "service" else None


def dependencies_of(model: Json, name: str, jobs: frozenset[str]) -> tuple[Dependency, ...]:
    """Return what must be so far before a service starts."""
    return tuple(
        Dependency(wait, _condition(said, is_job=wait in jobs))
        for wait, said in waits_of(model, name).items()
    )


def _condition(said: Json, *, is_job: bool) -> Condition:
    """What ends is never healthy: it is waited for until it has started."""
    condition = _CONDITIONS[said["condition"]]
    return Condition.STARTED if is_job and condition is Condition.HEALTHY else condition


def replicas_of(service: Json | None) -> int:
    """Return how many containers of a service there are to be; none of one that is not there."""
    if service is None:
        return 0
    deploy = service.get("deploy") or {}
    for said in (service.get("scale"), deploy.get("replicas")):
        if said is not None:
            return int(said)
    return 1
