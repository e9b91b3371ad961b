"""What services claim on the engine for themselves: volumes, container names, and ports of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from core.container import MountType
from core.engines.docker import labels
from core.engines.docker.mounts import scoped, volume_name
from core.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from core.container import Published
    from core.engines.docker.connection import Docker
    from core.model import Service
    from core.records import Target

Json = dict[str, Any]

_COMPOSE_SERVICE: Final = "com.docker.compose.service"
_ANYWHERE: Final = frozenset(("", "0.0.0.0", "::"))  # noqa: S104  nothing is bound here


async def check_claims(
    docker: Docker, home: str, target: Target, services: Sequence[Service]
) -> None:
    """Looks whether a running container that is not of the environment has any of them.

    Two that write to one volume would destroy its data. A port would be found taken later, but not
    by whom: it is the engine that listens there.

    Raises:
        Conflict: the first one that has.
    """
    volumes, names, ports = _volumes(target, services), _names(target, services), _ports(services)
    if not volumes and not names and not ports:
        return
    for container in await docker.get("/containers/json"):
        if not _is_ours(container, home, target):
            _check_volumes(container, volumes)
            _check_name(container, names)
            _check_ports(container, ports)


def _volumes(target: Target, services: Iterable[Service]) -> dict[str, str]:
    """The services by the names of the volumes that they mount."""
    return {
        volume_name(target, mount): service.name
        for service in services
        for mount in (service.container.mounts if service.container else ())
        if mount.type is MountType.VOLUME and mount.source and not mount.is_external
    }


def _names(target: Target, services: Iterable[Service]) -> dict[str, str]:
    return {
        scoped(target, service.container.container_name): service.name
        for service in services
        if service.container and service.container.container_name
    }


def _ports(services: Iterable[Service]) -> list[tuple[str, Published]]:
    """The ports of this machine that are not a choice, each with its service."""
    return [
        (service.name, each)
        for service in services
        for each in (service.container.published if service.container else ())
        if each.port is not None and each.last is None
    ]


def _is_ours(container: Json, home: str, target: Target) -> bool:
    found = container["Labels"] or {}
    wanted = {
        labels.HOME: home, labels.PROJECT: target.project, labels.ENVIRONMENT: target.environment,
    }  # fmt: skip
    return all(found.get(name) == value for name, value in wanted.items())


def _check_volumes(container: Json, volumes: dict[str, str]) -> None:
    for mount in container.get("Mounts") or ():
        name = mount.get("Name", "")
        if name in volumes and mount.get("RW"):
            raise Conflict(
                f"the container {_name_of(container)} runs with the volume {name}, which"
                f" {volumes[name]} mounts",
                hint=_ending(container, "stop"),
            )


def _check_name(container: Json, names: dict[str, str]) -> None:
    if (name := _name_of(container)) in names:
        raise Conflict(
            f"there is a container {name} already, as container_name of {names[name]} says",
            hint=_ending(container, "down"),
        )


def _check_ports(container: Json, ports: list[tuple[str, Published]]) -> None:
    had = {
        (each["PublicPort"], each["Type"], each["IP"])
        for each in container.get("Ports") or ()
        if each.get("PublicPort")
    }
    for service, wanted in ports:
        protocol = "udp" if wanted.is_udp else "tcp"
        for port, spoken, address in had:
            if (port, spoken) == (wanted.port, protocol) and _meet(address, wanted.host):
                raise Conflict(
                    f"the container {_name_of(container)} publishes port {port}, as {service} does",
                    hint=_ending(container, "stop"),
                    code="port_conflict",
                )


def _meet(one: str, other: str) -> bool:
    return one == other or bool({one, other} & _ANYWHERE)


def _name_of(container: Json) -> str:
    return str(container["Names"][0]).removeprefix("/")


def _ending(container: Json, verb: str) -> str:
    found = container["Labels"] or {}
    if _COMPOSE_SERVICE in found:
        return f"end it first: `docker compose {verb}`, which keeps the volumes"
    if labels.PROJECT in found and labels.ENVIRONMENT in found:
        whose = f"--project {found[labels.PROJECT]} --env {found[labels.ENVIRONMENT]}"
        return f"it is live: `compartment down {whose}` first, or change this one"
    return f"end it first: `docker rm --force {_name_of(container)}`"
