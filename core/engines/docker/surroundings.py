"""What a container of a Compose service needs of the engine before it can be made."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from core.engines.docker import labels, mounts
from core.engines.docker.labels import Role
from core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.container import Container
    from core.engines.base import InstanceSpec
    from core.engines.docker.connection import Docker
    from core.engines.docker.mounts import Placed
    from core.engines.docker.volumes import Volumes
    from core.records import Target

Json = dict[str, Any]

_SHARED: Final = {"ipc": "IpcMode", "pid": "PidMode"}
_OF_SERVICE: Final = "service:"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Its mounts, and the containers that it shares something with, by their services."""

    mounts: tuple[Placed, ...]
    containers: Mapping[str, str]

    def namespaces_of(self, container: Container) -> Json:
        """The namespaces that it shares with containers of other services, for the engine."""
        named = {key: _service_in(container.settings.get(key)) for key in _SHARED}
        return {
            _SHARED[key]: f"container:{self.containers[name]}"
            for key, name in named.items()
            if name
        }


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
    named = {_service_in(container.settings.get(key)) for key in _SHARED} - {None}
    found = {
        name: await _container_of(docker, home, spec.owner.target, name) for name in named if name
    }
    return Surroundings(tuple(placed), found)


def _service_in(said: str | None) -> str | None:
    return said.removeprefix(_OF_SERVICE) if said and said.startswith(_OF_SERVICE) else None


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
