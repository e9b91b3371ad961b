"""One service of a Compose file as a block of `compartment.yml`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from core.config.compose.mapping.healthchecks import is_checked, probed
from core.container import Protocol
from core.model import AccessMode, Condition, ReadinessType, RestartPolicy, ServiceKind, Strategy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.container import Container
    from core.model import Limits, Service

Json = dict[str, Any]

_UNITS = (("G", 1024**3), ("M", 1024**2), ("K", 1024))


def block_of(service: Service, container: Container, others: Mapping[str, Service]) -> Json:
    """Return a service that is built from source; `others` are those of the new file."""
    kind = kind_of(service)
    block: Json = {"path": service.path}
    if kind is not ServiceKind.WEB:
        block["kind"] = kind.value
    if kind.is_routable and service.port:
        block["port"] = service.port
    if service.access_mode is not AccessMode.PUBLIC:
        block["accessMode"] = service.access_mode.value
    readiness = _readiness(service, container, kind)
    if readiness:
        block["readiness"] = readiness
    waits = _waits(service, others)
    if waits:
        block["dependsOn"] = waits
    if kind.is_long_running:
        block |= _long_running(service, container)
    limits = _limits(service.limits)
    if limits:
        block["limits"] = limits
    return block


def kind_of(service: Service) -> ServiceKind:
    """Return the kind in the new file, which has none for plain TCP.

    A port of which nobody knows what it speaks is taken for HTTP.
    """
    container = service.container
    if service.kind is not ServiceKind.TCP or container is None:
        return service.kind
    is_published = any(each.target == service.port for each in container.published)
    return ServiceKind.WEB if is_published else ServiceKind.API


def speaks_http(container: Container) -> bool:
    """Whether a service has no port, or one that is HTTP as far as anybody knows."""
    return not container.ports or container.ports[0].protocol in (Protocol.HTTP, Protocol.LOOK)


def _readiness(service: Service, container: Container, kind: ServiceKind) -> Json | None:
    check = container.healthcheck
    if not kind.is_long_running:
        return None
    if service.readiness:
        found = service.readiness
        said = {"path": found.path} if found.type is ReadinessType.HTTP else {}
        said |= {"command": found.command} if found.command else {}
        return {"type": found.type.value, **said, "timeoutMs": found.timeout_ms}
    if check is None or not is_checked(check):
        return None
    asked = probed(check, container.environment)
    if asked and asked.protocol is Protocol.HTTP and asked.port == service.port:
        return {"type": "http", "path": asked.path}
    first, *words = check.test
    return {"type": "command", "command": words[0] if first == "CMD-SHELL" else shlex.join(words)}


def _waits(service: Service, others: Mapping[str, Service]) -> dict[str, str]:
    return {
        wait.service: _condition(wait.condition, others[wait.service]).value
        for wait in service.depends_on
        if wait.service in others
    }


def _condition(condition: Condition, other: Service) -> Condition:
    """What can be waited for: without a check nobody knows when something is healthy."""
    check = other.container.healthcheck if other.container else None
    is_known = is_checked(check) or other.readiness is not None
    if condition is Condition.HEALTHY and not is_known and kind_of(other).is_routable:
        return Condition.STARTED
    return condition


def _long_running(service: Service, container: Container) -> Json:
    found: Json = {}
    if service.replicas > 1:
        found["replicas"] = service.replicas
    if service.strategy is not Strategy.OVERLAP and not container.mounts:
        found["strategy"] = service.strategy.value
    restart = service.restart
    if restart.policy is not RestartPolicy.ON_FAILURE or restart.max_retries:
        said: Json = {"policy": restart.policy.value}
        if restart.max_retries:
            said["maxRetries"] = restart.max_retries
        found["run"] = {"restart": said}
    return found


def _limits(limits: Limits) -> Json:
    found: Json = {}
    if limits.cpus:
        found["cpus"] = limits.cpus
    if limits.memory_bytes:
        size = limits.memory_bytes
        unit, step = next(((u, s) for u, s in _UNITS if size % s == 0), ("K", 1024))
        found["memory"] = f"{max(1, size // step)}{unit}"
    return found
