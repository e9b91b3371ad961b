"""What a project says twice, or says of one thing in ways that exclude each other."""

from __future__ import annotations

from collections import defaultdict
from ipaddress import ip_address
from itertools import combinations
from typing import TYPE_CHECKING, Any

from core.config.compose.keys.shapes import within
from core.config.document import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.config.compose.keys.places import Places
    from core.config.document import KeyPath
    from core.model import Problem

_LIMITS = ("deploy", "resources", "limits")
_TWINS: tuple[tuple[str, KeyPath], ...] = (
    ("scale", ("deploy", "replicas")),
    ("cpus", (*_LIMITS, "cpus")),
    ("mem_limit", (*_LIMITS, "memory")),
    ("pids_limit", (*_LIMITS, "pids")),
    ("mem_reservation", ("deploy", "resources", "reservations", "memory")),
)
_OF_EXTERNAL = ("external", "name")
_WITH_SOURCE = ("secrets", "configs")
_SOURCES = ("file", "environment", "content")


def disagreements(model: dict[str, Any], places: Places) -> Iterator[Problem]:
    """Everything that cannot be so together."""
    for name, service in model["services"].items():
        yield from _service(("services", name), service, places)
        yield from _waits(name, service, model, places)
    for section in ("networks", "volumes", "secrets", "configs"):
        for key, said in model[section].items():
            yield from _external((section, key), said, places)
    yield from _published_twice(model, places)


def _service(base: KeyPath, service: dict[str, Any], places: Places) -> Iterator[Problem]:
    if not service.get("image") and not service.get("build"):
        yield places.problem(base, "the service has neither an image nor a build", "add one")
    build = service.get("build") or {}
    if build.get("dockerfile_inline") and build.get("dockerfile"):
        message = "a build has either a dockerfile or a dockerfile_inline"
        yield places.problem((*base, "build", "dockerfile"), message, "remove one of them")
    yield from _networks(base, service, places)
    for old, new in _TWINS:
        first, second = service.get(old), within(service, *new)
        if first is not None and second is not None and first != second:
            message = f'"{old}" and "{".".join(map(str, new))}" say different things'
            yield places.problem((*base, old), message, "keep one of them")
    if service.get("container_name") and replicas(service) > 1:
        message = f"{replicas(service)} containers cannot have one name"
        hint = "remove container_name, or have one replica"
        yield places.problem((*base, "container_name"), message, hint)
    check = service.get("healthcheck") or {}
    if "start_interval" in check and "start_period" not in check:
        message = '"start_interval" means nothing without a start_period'
        path = (*base, "healthcheck", "start_interval")
        yield places.problem(path, message, "add start_period")


def _networks(base: KeyPath, service: dict[str, Any], places: Places) -> Iterator[Problem]:
    mode = service.get("network_mode")
    if not mode:
        return
    if service.get("networks"):
        message = '"network_mode" and "networks" exclude each other'
        yield places.problem((*base, "network_mode"), message, "remove one of them")
    if service.get("ports") and mode != "host":
        owner = f"put them into {mode.removeprefix('service:')}"
        hint = "remove them" if mode == "none" else owner
        message = f"a service with network_mode {mode} has no ports of its own"
        yield places.problem((*base, "ports"), message, hint)


def replicas(service: dict[str, Any]) -> int:
    """Return how many containers a service has."""
    said = within(service, "deploy", "replicas")
    return int(said if said is not None else service.get("scale", 1))


def has_no_check(service: dict[str, Any]) -> bool:
    """Whether a service says that it has no health check, not even that of its image."""
    check = service.get("healthcheck") or {}
    return bool(check.get("disable")) or check.get("test") == ["NONE"]


def _waits(
    name: str, service: dict[str, Any], model: dict[str, Any], places: Places
) -> Iterator[Problem]:
    for key, said in (service.get("depends_on") or {}).items():
        other = model["services"].get(key)
        path = ("services", name, "depends_on", key)
        if "condition" not in said:
            hint = "such as condition: service_started"
            yield places.problem(path, f"{quote(key)} has no condition", hint)
        if other and said.get("condition") == "service_healthy" and has_no_check(other):
            message = f"waits for {key} to be healthy, which has no health check"
            hint = "give it one, or wait for service_started"
            yield places.problem(path, message, hint)


def _external(path: KeyPath, said: dict[str, Any], places: Places) -> Iterator[Problem]:
    if said.get("external"):
        for key in said:
            if key not in _OF_EXTERNAL and not key.startswith("x-") and said[key]:
                message = f'"{key}" cannot be said of something external'
                yield places.problem((*path, key), message, f"remove {key}, or external")
    elif path[0] in _WITH_SOURCE and not any(key in said for key in _SOURCES):
        hint = "add file: or environment:, or external: true"
        yield places.problem(path, f"where {path[1]} comes from is not said", hint)


def _published_twice(model: dict[str, Any], places: Places) -> Iterator[Problem]:
    """Ports of this machine that more than one service asks for, or one of them twice."""
    takers: dict[tuple[str, str], list[tuple[str, int, str]]] = defaultdict(list)
    for name, service in model["services"].items():
        for index, port in enumerate(service.get("ports") or ()):
            published = port.get("published", "")
            if published and "-" not in published:
                taker = (name, index, port.get("host_ip", ""))
                takers[published, port["protocol"]].append(taker)
    for (published, _), found in takers.items():
        for (first, _, one), (second, index, other) in combinations(found, 2):
            if _overlap(one, other):
                message = f"the port {published} of this machine is published twice"
                hint = f"{first} has it" if first != second else "remove one of them"
                yield places.problem(("services", second, "ports", index), message, hint)
                break


def _overlap(one: str, other: str) -> bool:
    return one == other or any(not each or ip_address(each).is_unspecified for each in (one, other))
