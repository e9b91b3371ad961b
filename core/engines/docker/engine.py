"""The Docker engine: images as artifacts, containers as instances, one network per environment."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from core.engines.docker import abilities
from core.engines.docker.beside import run_beside
from core.engines.docker.claims import check_claims
from core.engines.docker.endpoint import Mode
from core.engines.docker.events import Events
from core.engines.docker.images import Images
from core.engines.docker.instances import Instances
from core.engines.docker.labels import home_id
from core.engines.docker.networks import Networks
from core.engines.docker.shell import shell_in
from core.engines.docker.usage import usage_of
from core.engines.docker.volumes import Volumes
from core.errors import EngineUnavailable, NotFound
from core.model import EngineName
from core.secrets import Mask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from core.engines.base import (
        Exit,
        Holder,
        InstanceSpec,
        Owner,
        Ran,
        SecretsOf,
        Shell,
        Source,
        Usage,
        Variables,
        WantedNetwork,
    )
    from core.engines.docker.connection import Docker
    from core.engines.docker.instance import DockerInstance
    from core.files import Home
    from core.model import Service
    from core.records import Target

_PATIENCE_S: Final = 5.0


class DockerEngine:
    """Runs instances as containers of an engine on this machine; they outlive the agent.

    `tasks` owns the conversations with the engine. `docker` is closed with this. `secrets_of` tells
    what must not be kept of the output of a deployment, also of one from before this agent.
    """

    name = EngineName.DOCKER

    def __init__(
        self,
        home: Home,
        docker: Docker,
        mode: Mode,
        tasks: asyncio.TaskGroup,
        secrets_of: SecretsOf,
    ) -> None:
        ours = home_id(home)
        self._docker = docker
        self._home = ours
        self._mode = mode
        self.holds_names = mode is Mode.HOLDERS
        self._tasks = tasks
        self._following: list[asyncio.Task[None]] = []
        self._events = Events(docker)
        self._images = Images(docker, ours, home.root / "sources")
        self._networks = Networks(docker, ours, holds=self.holds_names, moved=self._events.moved)
        self._instances = Instances(
            docker, ours, self._networks, mode, tasks,
            moved=self._events.moved, secrets_of=secrets_of,
        )  # fmt: skip
        for part in (self._images, self._networks, self._instances):
            self._events.subscribe(part.listen, part.resync)

    async def open(self) -> None:
        """Begins to listen to the engine, and finds out what is there of this home."""
        await self._images.open()
        for work in (self._networks.run(), self._events.run()):
            self._following.append(self._tasks.create_task(work))
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                await self._events.wait_tried()

    async def close(self) -> None:
        """Ends the conversations; the containers go on."""
        for task in self._following:
            task.cancel()
        self._instances.close()
        await self._docker.close()

    async def check(self) -> None:
        """Asks whether the engine answers."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._docker.order("GET", "/_ping")
        except TimeoutError:
            self._docker.doubt()
            raise EngineUnavailable(
                f"the Docker Engine at {self._docker.socket} does not answer in time",
                hint="see whether `docker ps` answers, and restart the engine if not",
            ) from None

    async def wait_back(self) -> None:
        """Returns when the engine answers again, or somebody moved or removed something of ours."""
        await self._events.wait_back()

    def refusal(self, service: Service) -> str | None:
        """What an engine of this version cannot do, and would not tell that it does not."""
        container = service.container
        return abilities.refusal(container, self._docker.api) if container else None

    def warnings(self, service: Service) -> tuple[str, ...]:
        """What calls between services can lose here, and what is not as its file says."""
        container, cost = service.container, self._mode.cost
        lost = (cost,) if cost is not None and service.kind.is_routable else ()
        return (*lost, *(abilities.warnings(container, self._docker.api) if container else ()))

    def fixed_port(self, _service: Service, _variables: Variables) -> None:
        """None: every container has an address of its own."""

    def inherited(self, _environ: Mapping[str, str]) -> Variables:
        """Nothing: an image brings along what it needs."""
        return {}

    async def identify(
        self, root: Path, service: Service, _variables: Variables, build_variables: Variables
    ) -> Source:
        """What a deploy would build from, without keeping a copy."""
        return await self._images.identify(root, service, build_variables)

    async def take(
        self,
        root: Path,
        service: Service,
        _variables: Variables,
        build_variables: Variables,
        *,
        use_cache: bool = True,
    ) -> Source:
        """Snapshots the source of a service."""
        return await self._images.take(root, service, build_variables, use_cache=use_cache)

    async def build(self, source: Source, owner: Owner, say: Callable[[str], None]) -> None:
        """Makes the image of a source, or finds it made."""
        await self._images.build(source, owner, say)

    async def discard(self, source: Source) -> None:
        """Removes the copy of what is not going to be built."""
        await self._images.discard(source)

    def has_artifact(self, artifact_id: str) -> bool:
        """Whether an image is still there."""
        return self._images.has(artifact_id)

    async def check_claims(self, target: Target, services: Sequence[Service]) -> None:
        """Looks whether somebody else's container has a volume or name of these services."""
        await check_claims(self._docker, self._home, target, services)

    async def prepare(self, target: Target, wanted: Sequence[WantedNetwork]) -> None:
        """Makes the networks of an environment, and the holders of its names."""
        await self._networks.prepare(target, wanted)

    def holders(self, target: Target, service_name: str) -> tuple[Holder, ...]:
        """Where the name of a service leads to."""
        return self._networks.holders(target, service_name)

    async def clear(self, target: Target, *, with_volumes: bool = False) -> None:
        """Removes the holders and the networks, and the volumes that were made here."""
        await self._networks.clear(target)
        if with_volumes:
            await Volumes(self._docker, self._home).clear(target)

    async def release(self, spec: InstanceSpec, command: str, limit_s: float) -> Exit:
        """Runs a command in a container that is removed after it, whatever happens."""
        image = self._images.tag_of(spec.artifact_id)
        return await self._instances.release(spec, image, command, limit_s)

    async def run_beside(self, spec: InstanceSpec, command: str, limit_s: float) -> Ran:
        """Runs a shell command inside of the container of an instance."""
        instance = self._instances.get(spec.name)
        if instance is None:
            raise NotFound(f"there is no instance {spec.name}", hint="deploy the service")
        return await run_beside(self._docker, instance.id, command, limit_s, Mask(spec.secrets))

    async def start(self, spec: InstanceSpec) -> DockerInstance:
        """Starts a container."""
        return await self._instances.start(spec, self._images.tag_of(spec.artifact_id))

    async def adopt(self, name: str) -> DockerInstance | None:
        """The instance of a name, if it runs."""
        return await self._instances.adopt(name)

    async def exit_of(self, name: str) -> Exit | None:
        """What the engine keeps of the end of a container that was not removed."""
        return await self._instances.exit_of(name)

    async def stop(self, name: str, *, grace_s: float) -> None:
        """Ends a container and removes it; its log stays."""
        await self._instances.stop(name, grace_s=grace_s)

    async def instances(self) -> list[str]:
        """The names of all that have a container."""
        return await self._instances.names()

    async def usage(self, names: Sequence[str]) -> dict[str, Usage]:
        """What the containers of these instances take now."""
        found = [self._instances.get(name) for name in names]
        return await usage_of(self._docker, [each for each in found if each is not None])

    def shell(self, spec: InstanceSpec) -> Shell:
        """A shell inside of the container of an instance, which has its environment."""
        instance = self._instances.get(spec.name)
        if instance is None:
            raise NotFound(f"there is no instance {spec.name}", hint="deploy the service")
        return shell_in(instance.id, self._docker.socket)

    async def prune(self, keep: set[str]) -> None:
        """Removes the images that are not to be kept."""
        await self._images.prune(keep)
