"""The process engine: a copy of the source, a build command, a child process."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from core.engines.base import Exit, InstanceSpec, Ran, Shell, Source
from core.engines.process.instances import Instances, environment_of, port_of
from core.engines.process.recipe import Recipe
from core.engines.process.releases import Releases, Taken
from core.engines.process.usage import usage_of
from core.engines.source.build import run_build
from core.errors import CompartmentError, NotFound
from core.lines import Line, RotatingFile, stamp
from core.model import BuildStrategy, EngineName, Limits, Service, Stream
from core.ports import read_port
from core.secrets import Mask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from core.engines.base import Holder, Owner, Usage, Variables, WantedNetwork
    from core.engines.process.instance import ProcessInstance
    from core.files import Home
    from core.records import Target

_INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR")
"""What a service gets of its deployer's environment, besides LC_*; the agent's it never sees."""


class ProcessEngine:
    """Runs instances as processes of this machine, each under a shim that outlives the agent.

    `tasks` owns the conversations with the shims.
    """

    name = EngineName.PROCESS
    holds_names = False

    def __init__(self, home: Home, tasks: asyncio.TaskGroup) -> None:
        self.releases = Releases(home.releases)
        self._instances = Instances(home, tasks)

    async def open(self) -> None:
        """Removes what a crash left unfinished."""
        await self.releases.sweep()
        # A thread: it reads a file of every process of the machine.
        await asyncio.to_thread(self._instances.look_for_strays)

    async def close(self) -> None:
        """Ends the conversations; the instances go on."""
        self._instances.close()

    async def check(self) -> None:
        """It is part of this program: it is always there."""

    async def wait_back(self) -> None:
        """It never goes, so that it is never back."""
        await asyncio.get_running_loop().create_future()

    def refusal(self, service: Service) -> str | None:
        """What only the Docker engine can do."""
        build = service.build
        if build.strategy is not BuildStrategy.AUTO:
            return f"build.strategy {build.strategy} needs the docker engine"
        if build.build_packages or build.runtime_packages:
            return "build.packages needs the docker engine: install the packages on this machine"
        if service.port is not None and service.replicas > 1:
            return f"{service.replicas} replicas cannot all listen on port {service.port}"
        return None

    def warnings(self, service: Service) -> tuple[str, ...]:
        """What the Docker engine would do."""
        if service.limits != Limits():
            return ("the process engine does not enforce limits",)
        return ()

    def fixed_port(self, service: Service, variables: Variables) -> int | None:
        """The one that it says it listens on, or was told to by a variable PORT."""
        return read_port(variables.get("PORT", "")) or service.port

    def inherited(self, environ: Mapping[str, str]) -> Variables:
        """What a command needs that is started from a shell."""
        return {
            name: value
            for name, value in environ.items()
            if name in _INHERITED or name.startswith("LC_")
        }

    async def identify(
        self, root: Path, service: Service, variables: Variables, build_variables: Variables
    ) -> Source:
        """What a deploy would build from, without keeping a copy."""
        recipe = _recipe(service, variables, build_variables)
        artifact_id = await self.releases.identify(root / service.path, root, recipe)
        return Source(artifact_id, self.releases.has(artifact_id))

    async def take(
        self,
        root: Path,
        service: Service,
        variables: Variables,
        build_variables: Variables,
        *,
        use_cache: bool = True,
    ) -> Source:
        """Copies the source of a service, unless its artifact is there already."""
        recipe = _recipe(service, variables, build_variables)
        if not use_cache:
            recipe = replace(recipe, salt=uuid.uuid4().hex)
        taken = await self.releases.take(root / service.path, root, recipe)
        return Source(taken.artifact_id, taken.copy is None, taken)

    async def build(self, source: Source, owner: Owner, say: Callable[[str], None]) -> None:  # noqa: ARG002 - a folder has no labels
        """Makes the artifact of a source, or finds it made."""
        taken: Taken = source.taken
        manifest = await self.releases.build(taken, say)
        if manifest.command:
            say(f"runs `{manifest.command}`: {manifest.because}")

    async def discard(self, source: Source) -> None:
        """Removes the copy of what is not going to be built."""
        await self.releases.discard(source.taken)

    def has_artifact(self, artifact_id: str) -> bool:
        """Whether an artifact can still be started."""
        return self.releases.has(artifact_id)

    async def check_claims(self, target: Target, services: Sequence[Service]) -> None:
        """A process mounts nothing, and has no name to claim."""

    async def prepare(self, target: Target, wanted: Sequence[WantedNetwork]) -> None:
        """Processes share the machine, and need nothing besides."""

    def holders(self, target: Target, service_name: str) -> tuple[Holder, ...]:  # noqa: ARG002 - they share one network
        """None: the gateway listens on a port of this machine."""
        return ()

    async def clear(self, target: Target, *, with_volumes: bool = False) -> None:
        """Nothing was made."""

    async def release(self, spec: InstanceSpec, command: str, limit_s: float) -> Exit:
        """Runs a command once, where an instance would run."""
        lines = RotatingFile(spec.log)

        def keep(text: str) -> None:
            lines.append([Line(stamp(), Stream.STDOUT, text)])

        folder, environment = (
            self.releases.folder_of(spec.artifact_id),
            environment_of(spec.variables),
        )
        try:
            mask = Mask(spec.secrets)
            result = await run_build(command, folder, environment, keep, limit_s, mask=mask)
        finally:
            lines.close()
        if result.timed_out_after_s is not None:
            raise TimeoutError
        return Exit(result.exit_code, result.signal)

    async def run_beside(self, spec: InstanceSpec, command: str, limit_s: float) -> Ran:
        """Runs a shell command where the process of an instance runs."""
        place = self.shell(spec)
        said = deque[str](maxlen=1)

        def keep(line: str) -> None:
            if line.strip():
                said.append(line.strip())

        result = await run_build(
            command, Path(place.cwd), place.environment, keep, limit_s, 0, Mask(spec.secrets)
        )
        if result.timed_out_after_s is not None:
            raise TimeoutError
        return Ran(Exit(result.exit_code, result.signal), "".join(said))

    async def start(self, spec: InstanceSpec) -> ProcessInstance:
        """Starts a process under its shim.

        Raises:
            CompartmentError: its artifact is gone, no port is free, or the shim does not come up.
        """
        manifest = self.releases.manifest(spec.artifact_id)
        if manifest is None:
            raise CompartmentError(
                f"the artifact {spec.artifact_id} is gone", hint="deploy the service again"
            )
        command = spec.service.run_command or manifest.command or ""
        folder = self.releases.folder_of(spec.artifact_id)
        port = self.fixed_port(spec.service, spec.variables)
        if port is not None:
            spec = replace(spec, address=("127.0.0.1", port))
        return await self._instances.start(spec, command, folder)

    async def adopt(self, name: str) -> ProcessInstance | None:
        """The instance of a name, if its shim is there.

        Raises:
            EngineUnavailable: the shim is there, but does not answer.
        """
        return await self._instances.adopt(name)

    async def exit_of(self, name: str) -> Exit | None:
        """What the shim of an instance has recorded at its end."""
        return self._instances.exit_of(name)

    async def stop(self, name: str, *, grace_s: float) -> None:
        """Ends an instance and forgets it; its log stays."""
        await self._instances.stop(name, grace_s=grace_s)

    async def instances(self) -> list[str]:
        """The names of those that have, or had, a process."""
        return self._instances.names()

    async def usage(self, names: Sequence[str]) -> dict[str, Usage]:
        """What the processes of these instances take now."""
        running = self._instances.shims(names)
        # A thread: it reads a file of every process of the machine.
        return await asyncio.to_thread(usage_of, running) if running else {}

    def shell(self, spec: InstanceSpec) -> Shell:
        """A plain shell where the process of an instance runs.

        Raises:
            NotFound: there is no such instance.
        """
        described = self._instances.described(spec.name)
        if described is None:
            raise NotFound(f"there is no instance {spec.name}", hint="deploy the service")
        environment = environment_of(spec.variables, port_of(described))
        return Shell(("/bin/sh",), described["cwd"], environment)

    async def prune(self, keep: set[str]) -> None:
        """Deletes the artifacts that are not to be kept."""
        await self.releases.prune(keep)


def _recipe(service: Service, variables: Variables, build_variables: Variables) -> Recipe:
    return Recipe(
        service_name=service.name,
        kind=service.kind,
        build_command=service.build.command,
        build_variables=build_variables,
        environment=variables,
        run_command=service.run_command,
    )
