"""What a container of a Compose service needs of the engine before it can be made."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from core.engines.docker import labels, mounts
from core.engines.docker.labels import Role
from core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from core.container import Container
    from core.engines.base import InstanceSpec
    from core.engines.docker.connection import Docker
    from core.engines.docker.mounts import Placed
    from core.engines.docker.volumes import Volumes
    from core.records import Target

Json = dict[str, Any]

_SHARED: Final = ("ipc", "pid")
_OF_SERVICE: Final = "service:"
_OF_CONTAINER: Final = "container:"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Its mounts, and the containers that it shares something with, by their services."""

    mounts: tuple[Placed, ...]
    containers: Mapping[str, str]

    def in_place_of_services(self, container: Container) -> Json:
        """What it shares with the containers of other services, in the engine's words."""
        settings = container.settings
        shared = {
            key: f"{_OF_CONTAINER}{self.containers[name]}"
            for key in _SHARED
            if (name := _service_in(settings.get(key)))
        }
        ours = {"ipc": "IpcMode", "pid": "PidMode"}
        made: Json = {ours[key]: value for key, value in shared.items()}
        if settings.get("volumes_from"):
            made["VolumesFrom"] = [self._volumes_from(each) for each in settings["volumes_from"]]
        return made

    def _volumes_from(self, said: str) -> str:
        if said.startswith(_OF_CONTAINER):
            return said.removeprefix(_OF_CONTAINER)
        name, colon, mode = said.partition(":")
        return f"{self.containers[name]}{colon}{mode}"


async def prepare(
    docker: Docker, home: str, volumes: Volumes, spec: InstanceSpec, image: Json
) -> Surroundings | None:
    """Makes the volumes of an instance and finds its neighbours; None of a `compartment.yml`.

    Raises:
        NotFound: an external volume, or a container that it shares something with, is missing.
        CompartmentError: a volume cannot be made.
    """
    container = spec.service.container
    if container is None:
        return None
    placed = [*mounts.placed(spec, container, image), *mounts.for_files(container)]
    await volumes.prepare(spec.owner.target, placed)
    names = dict.fromkeys(_neighbours(container))
    found = {name: await _container_of(docker, home, spec.owner.target, name) for name in names}
    return Surroundings(tuple(placed), found)


def _neighbours(container: Container) -> Iterator[str]:
    for key in _SHARED:
        if name := _service_in(container.settings.get(key)):
            yield name
    for said in container.settings.get("volumes_from") or ():
        if not said.startswith(_OF_CONTAINER):
            yield said.partition(":")[0]


def _service_in(said: str | None) -> str | None:
    is_service = said is not None and said.startswith(_OF_SERVICE)
    return said.removeprefix(_OF_SERVICE) if said and is_service else None


async def _container_of(docker: Docker, home: str, target: Target, service_name: str) -> str:
    """The newest running container of a service."""
    only = labels.only(
        home,
        Role.INSTANCE,
        **{
            labels.PROJECT: target.project,
            labels.ENVIRONMENT: target.environment,
            labels.SERVICE: service_name,
        },
    )
    listed: list[Json] = await docker.get("/containers/json", filters=json.dumps(only))
    if not listed:
        raise NotFound(
            f"no container of {service_name} runs, which it shares something with",
            hint=f"deploy them together: --service {service_name}",
        )
    return str(max(listed, key=lambda each: each["Created"])["Id"])
