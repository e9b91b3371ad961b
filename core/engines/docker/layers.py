"""What builds leave on the engine beside their images, and how much of it is of use.

The engine's own builder keeps every stage as an image without a name. Those of the last build of a
service make its next one fast; all others only fill the disk.
"""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from core.engines.docker import labels
from core.engines.docker.labels import Role
from core.errors import CompartmentError, Unreachable
from core.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Set
    from pathlib import Path

    from core.engines.base import Owner
    from core.engines.docker.connection import Docker

Json = dict[str, Any]

_KEPT_S: Final = 60 * 60
"""How long those of a build are kept whose artifact is not needed: it may have failed."""


class Layers:
    """Knows the last build of each service; in a file, so that it does so tomorrow."""

    def __init__(self, docker: Docker, home: str, path: Path) -> None:
        self._docker = docker
        self._home = home
        self._path = path
        self._lock = asyncio.Lock()

    async def note(self, owner: Owner, artifact_id: str, layers: Set[str]) -> None:
        """Remembers what a build went through; `layers` are beginnings of ids."""
        async with self._lock:
            builds = await asyncio.to_thread(self._read)
            builds[f"{owner.target}/{owner.service_name}"] = {
                "artifactId": artifact_id, "at": time.time(), "layers": sorted(layers),
            }  # fmt: skip
            await asyncio.to_thread(self._write, builds)

    async def prune(self, keep: Set[str]) -> None:
        """Removes what no last build of a service needs. None may be going on.

        Raises:
            EngineUnavailable: it went away.
        """
        async with self._lock:
            builds = {
                name: build
                for name, build in (await asyncio.to_thread(self._read)).items()
                if build["artifactId"] in keep or time.time() - build["at"] < _KEPT_S
            }
            await asyncio.to_thread(self._write, builds)
        needed = tuple(layer for build in builds.values() for layer in build["layers"])
        await self._remove_containers()
        # Only what nothing is built on can go, which lets go what it was built on.
        while await self._remove_unneeded(needed):
            pass

    async def _remove_unneeded(self, needed: tuple[str, ...]) -> bool:
        filters = {**labels.only(self._home, Role.BUILD), "dangling": ["true"]}
        removed = False
        for image in await self._docker.get("/images/json", filters=json.dumps(filters)):
            if not image["Id"].removeprefix("sha256:").startswith(needed):
                removed = await remove_image(self._docker, image["Id"]) or removed
        return removed

    async def _remove_containers(self) -> None:
        """Those that an engine has left which died in the middle of a build."""
        filters = json.dumps(labels.only(self._home, Role.BUILD))
        for container in await self._docker.get("/containers/json", all="1", filters=filters):
            with suppress(CompartmentError):
                path = f"/containers/{container['Id']}"
                await self._docker.order("DELETE", path, force="1", v="1")

    def _read(self) -> Json:
        try:
            builds = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        return builds if isinstance(builds, dict) else {}

    def _write(self, builds: Json) -> None:
        # Without it the next build is slower, which is no reason for this one to fail.
        with suppress(OSError):
            write_atomically(self._path, json.dumps(builds).encode())


async def remove_image(docker: Docker, reference: str) -> bool:
    """Removes an image or one of its names; False where the engine does not, as it is in use.

    What it was built on stays, since that may not be ours.
    """
    try:
        await docker.order("DELETE", f"/images/{reference}", noprune="1")
    except Unreachable:
        raise
    except CompartmentError:
        return False
    return True
