"""Images as artifacts: taken, built once, found again, removed when nothing needs them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from docker.utils import parse_repository_tag

from core.ending import to_the_end
from core.engines.base import Source
from core.engines.docker import buildx, classic, labels
from core.engines.docker.instructions import first_port
from core.engines.docker.job import Job
from core.engines.docker.labels import Role
from core.engines.docker.layers import Layers
from core.engines.docker.pulling import Pulling
from core.engines.docker.shelf import Shelf
from core.engines.docker.sources import Sources
from core.engines.source.snapshot import SourceChanged
from core.errors import CompartmentError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.container import Container
    from core.engines.base import Owner, Variables
    from core.engines.docker.connection import Docker
    from core.engines.docker.content import Content
    from core.model import Service

Json = dict[str, Any]

_ATTEMPTS: Final = 4
_LATEST: Final = "latest"


@dataclass(frozen=True, slots=True)
class Taken:
    """A source as it was when it was taken; `copy` is None when its image existed already."""

    content: Content
    service: Service
    copy: Path | None


class Images:
    """The images of one home folder. All methods belong to one event loop.

    `folder` holds what is taken until it is built, and is this object's own.
    """

    def __init__(self, docker: Docker, home: str, folder: Path) -> None:
        self._docker = docker
        self._home = home
        self._shelf = Shelf(docker, home)
        self._sources = Sources(folder)
        self._pulling = Pulling(docker, self._shelf)
        self._layers = Layers(docker, home, folder / "layers.json")
        self._locks = defaultdict[str, asyncio.Lock](asyncio.Lock)
        self._builds = 0
        """How many are going on, whose layers are not to be swept away."""
        self._sweep = asyncio.Lock()
        self._taken = dict[int, Source]()
        """By their `id()`; these have to be there when they are built, or found built."""

    async def open(self) -> None:
        """Removes what a crash left unfinished."""
        await self._sources.sweep()

    async def identify(self, root: Path, service: Service, variables: Variables) -> Source:
        """What a deploy would build from, without keeping a copy.

        Raises:
            ConfigError: the source cannot be built.
        """
        content = await self._look(root, service, variables, use_cache=True)
        artifact_id = await self._artifact_id(content)
        return Source(artifact_id, self.has(artifact_id))

    async def take(
        self, root: Path, service: Service, variables: Variables, *, use_cache: bool = True
    ) -> Source:
        """Copies the source, unless its image is there. `build` or `discard` must follow.

        Raises:
            ConfigError: the source cannot be built.
            SourceChanged: it changed under our hands again and again.
            CompartmentError: the disk does not take it. No part of the copy is left.
        """
        for attempt in range(_ATTEMPTS):
            try:
                source = await self._take_once(root, service, variables, use_cache=use_cache)
            except SourceChanged:
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                break
        self._taken[id(source)] = source
        return source

    async def discard(self, source: Source) -> None:
        """Removes the copy of what is not going to be built."""
        self._taken.pop(id(source), None)
        if source.taken.copy is not None:
            await self._sources.remove(source.taken.copy)

    async def build(self, source: Source, owner: Owner, say: Callable[[str], None]) -> None:
        """Makes the image of a source, or finds it made.

        Of several that ask for the same image at the same time the first one builds it.

        Raises:
            CompartmentError: the build failed; with the instruction and the reason.
        """
        try:
            async with self._locks[source.artifact_id]:
                if not self.has(source.artifact_id):
                    async with self._sweep:
                        self._builds += 1
                    try:
                        await self._make(source, owner, say)
                    finally:
                        self._builds -= 1
            await self._name(source)
        finally:
            await to_the_end(self.discard(source))

    def has(self, artifact_id: str) -> bool:
        """Whether the image of an artifact is on the engine."""
        return self._shelf.has(artifact_id)

    def tag_of(self, artifact_id: str) -> str:
        """What the engine finds the image of an artifact by: its name, or its id without one."""
        return self._shelf.found_by(artifact_id)

    async def port_of(self, artifact_id: str) -> int | None:
        """The first port that an image exposes; None where it exposes none, or is not there."""
        image = await self._shelf.inspect(self.tag_of(artifact_id))
        return exposed_port(image) if image else None

    async def prune(self, keep: set[str]) -> None:
        """Removes the images that are not to be kept and not in use, and what builds left."""
        await self._shelf.prune(lambda: self._kept(keep))
        async with self._sweep:
            if not self._builds:
                await self._layers.prune(self._kept(keep))

    def listen(self, event: Json) -> None:
        """Hears of images that were removed by somebody."""
        self._shelf.listen(event)

    async def resync(self) -> None:
        """Finds out which images are there.

        Raises:
            EngineUnavailable: the engine does not say.
        """
        await self._shelf.resync()

    async def _take_once(
        self, root: Path, service: Service, variables: Variables, *, use_cache: bool
    ) -> Source:
        content = await self._look(root, service, variables, use_cache=use_cache)
        artifact_id = await self._artifact_id(content)
        if self.has(artifact_id):
            return Source(artifact_id, is_built=True, taken=Taken(content, service, None))
        content, copy = await self._sources.copy(content, service)
        try:
            artifact_id = await self._artifact_id(content)
        except BaseException:
            await to_the_end(self._sources.remove(copy))
            raise
        return Source(artifact_id, self.has(artifact_id), Taken(content, service, copy))

    async def _look(
        self, root: Path, service: Service, variables: Variables, *, use_cache: bool
    ) -> Content:
        """What a service would be built from; always something new where it may have changed."""
        is_moving = service.container is not None and await self._is_moving(service.container)
        use_cache = use_cache and not is_moving
        return await self._sources.look(root, service, variables, use_cache=use_cache)

    async def _is_moving(self, container: Container) -> bool:
        """Whether the engine is asked for a newer image, or not to use what it has."""
        if container.build is not None:
            said = container.build.settings
            return bool(said.get("pull") or said.get("no_cache"))
        return await self._pulling.is_due(container.image or "", container.pull_policy)

    async def _make(self, source: Source, owner: Owner, say: Callable[[str], None]) -> None:
        taken: Taken = source.taken
        if taken.copy is None:
            raise CompartmentError(
                f"the image {self.tag_of(source.artifact_id)} was removed before it could be used",
                hint="deploy again",
            )
        job = self._job(source.artifact_id, taken, taken.copy, owner)
        has_buildx, layers = await buildx.is_there(), set[str]()
        if (key := job.options.needs_buildkit) and not has_buildx:
            raise CompartmentError(
                f"build.{key} of {taken.service.name} needs BuildKit",
                hint="install docker's buildx plugin",
            )
        builder = "BuildKit" if has_buildx else "the engine's own builder"
        if (image := taken.content.pulls) and (container := taken.service.container):
            await self._pulling.pull(image, container.pull_policy, job.options.platform, say)
        else:
            say(f"building {taken.content.what} with {builder}")
        try:
            if has_buildx:
                await buildx.build(self._docker.socket, job, say)
            else:
                await classic.build(self._docker, self._home, job, say, layers)
        finally:
            await to_the_end(self._layers.note(owner, source.artifact_id, layers))
        await self._shelf.add(source.artifact_id)
        # By what it was built on as well, now that this has been pulled.
        other = await self._artifact_id(taken.content)
        if other != source.artifact_id:
            await self._shelf.name_again(source.artifact_id, other)

    async def _name(self, source: Source) -> None:
        """Gives an image that was built the names that its file asks for, as Compose does."""
        container = source.taken.service.container
        if container is None or container.build is None:
            return
        named = [container.image, *(container.build.settings.get("tags") or ())]
        for name in filter(None, named):
            repository, tag = parse_repository_tag(name)
            path = f"/images/{self.tag_of(source.artifact_id)}/tag"
            await self._docker.order("POST", path, repo=repository, tag=tag or _LATEST)

    def _job(self, artifact_id: str, taken: Taken, copy: Path, owner: Owner) -> Job:
        content = taken.content
        return Job(
            context=copy,
            dockerfile=content.dockerfile,
            arguments=content.arguments,
            tag=self._shelf.name_of(artifact_id),
            labels={
                **content.options.labels,
                labels.ARTIFACT: artifact_id,
                labels.PORT: str(first_port(content.dockerfile) or ""),
                **labels.of_owner(self._home, Role.IMAGE, owner),
            },
            use_cache=not content.salt,
            options=content.options,
        )

    async def _artifact_id(self, content: Content) -> str:
        known = dict[str, str]()
        for base in content.bases:
            image = await self._shelf.inspect(quote(base.image, safe="/:@"))
            if image is not None:
                known[base.image] = image["Id"]
        return content.artifact_id(known)

    def _kept(self, keep: set[str]) -> set[str]:
        return {*keep, *(source.artifact_id for source in self._taken.values())}


def exposed_port(image: Json) -> int | None:
    """The first port that an image exposes, given what the engine says of it.

    Where its own Dockerfile exposes none, the lowest of those that it was built on.
    """
    config = image["Config"] or {}
    said = (config.get("Labels") or {}).get(labels.PORT, "")
    if said.isdecimal():
        return int(said)
    exposed = (port.split("/") for port in config.get("ExposedPorts") or ())
    return min((int(number) for number, protocol in exposed if protocol == "tcp"), default=None)
