"""The named volumes of environments: made before their first use, kept until they are asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from core.container import MountType
from core.engines.docker import labels
from core.engines.docker.labels import Role
from core.engines.docker.mounts import scoped
from core.errors import CompartmentError, NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.container import Mount
    from core.engines.docker.connection import Docker
    from core.engines.docker.mounts import Placed
    from core.records import Target

Json = dict[str, Any]

_COMPOSE_PROJECT: Final = "com.docker.compose.project"
_COMPOSE_VOLUME: Final = "com.docker.compose.volume"
"""By which Docker Compose knows its own: it may be gone back to."""


class Volumes:
    """The volumes of one home on an engine."""

    def __init__(self, docker: Docker, home: str) -> None:
        self._docker = docker
        self._home = home

    async def prepare(self, target: Target, mounts: Iterable[Placed]) -> None:
        """Makes those that are missing; one that is there is taken as it is.

        Raises:
            NotFound: an external one is missing.
            CompartmentError: one cannot be made; why.
        """
        for each in mounts:
            if each.mount.type is not MountType.VOLUME or not each.volume:
                continue
            if each.mount.is_external:
                await self._check_external(each.volume)
            else:
                await self._make(target, each)

    async def _check_external(self, name: str) -> None:
        try:
            await self._docker.get(f"/volumes/{quote(name, safe='')}")
        except NotFound:
            raise NotFound(
                f"there is no volume {name}, which is declared as external",
                hint=f"make it: `docker volume create {name}`, or take `external` away",
            ) from None

    async def _make(self, target: Target, each: Placed) -> None:
        settings = each.mount.settings
        # The engine leaves one that is there as it is.
        body = {
            "Name": each.volume,
            "Driver": settings.get("driver") or "local",
            "DriverOpts": {
                name: str(value) for name, value in (settings.get("driver_opts") or {}).items()
            },
            "Labels": {
                **(settings.get("labels") or {}),
                **labels.of_target(self._home, Role.VOLUME, target),
                **_of_compose(target, each.mount),
            },
        }
        try:
            await self._docker.order("POST", "/volumes/create", body)
        except CompartmentError as error:
            raise type(error)(
                f"the volume {each.volume} cannot be made: {error.message}",
                hint=error.hint or "see `docker volume ls`, and correct its driver or driver_opts",
            ) from error

    async def clear(self, target: Target) -> None:
        """Removes those of an environment that were made here, with what is in them.

        Raises:
            CompartmentError: one is in use.
        """
        filters = json.dumps(labels.only_of(self._home, Role.VOLUME, target))
        listed: Json = await self._docker.get("/volumes", filters=filters)
        for volume in listed["Volumes"] or ():
            await self._docker.order("DELETE", f"/volumes/{quote(volume['Name'], safe='')}")


def _of_compose(target: Target, mount: Mount) -> dict[str, str]:
    if not mount.source:
        return {}
    return {_COMPOSE_PROJECT: scoped(target, target.project), _COMPOSE_VOLUME: mount.source}
