"""What services claim on the engine for themselves: their volumes and their container names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from core.container import MountType
from core.engines.docker import labels
from core.engines.docker.mounts import scoped, volume_name
from core.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from core.engines.docker.connection import Docker
    from core.model import Service
    from core.records import Target

Json = dict[str, Any]

_COMPOSE_SERVICE: Final = "com.docker.compose.service"


async def check_claims(
    docker: Docker, home: str, target: Target, services: Sequence[Service]
) -> None:
    """Looks whether a running container that is not of the environment has any of them.

    Two that write to one volume would destroy its data.

    Raises:
        Conflict: the first one that has.
    """
    volumes, names = _volumes(target, services), _names(target, services)
    if not volumes and not names:
        return
    for container in await docker.get("/containers/json"):
        if not _is_ours(container, home, target):
            _check_volumes(container, volumes)
            _check_name(container, names)


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


def _name_of(container: Json) -> str:
    return str(container["Names"][0]).removeprefix("/")


def _ending(container: Json, verb: str) -> str:
    if _COMPOSE_SERVICE in (container["Labels"] or {}):
        return f"end it first: `docker compose {verb}`, which keeps the volumes"
    return f"end it first: `docker rm --force {_name_of(container)}`"
