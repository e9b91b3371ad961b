"""The process engine: a copy of the source, a build command, a child process."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import uuid
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from core.engines.base import Exit, InstanceSpec, Shell, Source
from core.engines.process.instance import ProcessInstance
from core.engines.process.recipe import Recipe
from core.engines.process.releases import Releases, Taken
from core.engines.process.usage import usage_of
from core.engines.source.build import run_build
from core.engines.source.detect import shell_argv
from core.errors import CompartmentError, EngineUnavailable, NotFound
from core.files import write_atomically
from core.lines import Line, RotatingFile, stamp
from core.model import BuildStrategy, EngineName, Limits, Service, Stream
from core.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from core.engines.base import Holder, Owner, Usage, Variables
    from core.files import Home
    from core.records import Target

_SHIM = Path(__file__).with_name("shim.py")
_SHIM_START_TIMEOUT_S = 10.0
_STOP_MARGIN_S = 5.0
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
        self._home = home
        self._tasks = tasks
        self._ports: dict[str, int] = {}
        """Given out, also to services that do not listen yet."""
        self._instances: dict[str, ProcessInstance] = {}
        self._shims: dict[str, subprocess.Popen[bytes]] = {}
        self._conversations: dict[str, asyncio.Task[None]] = {}

    async def open(self) -> None:
        """Removes what a crash left unfinished."""
        await self.releases.sweep()

    async def close(self) -> None:
        """Ends the conversations; the instances go on."""
        for conversation in self._conversations.values():
            conversation.cancel()
        for process in self._shims.values():
            # It goes on without us, on purpose.
            process.returncode = process.poll() or 0

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
        if build.env:
            return "build.env needs the docker engine: set them in build.command"
        if build.build_packages or build.runtime_packages:
            return "build.packages needs the docker engine: install the packages on this machine"
        if service.port is not None:
            return "a fixed port is not supported by the process engine yet: listen on $PORT"
        return None

    def warnings(self, service: Service) -> tuple[str, ...]:
        """What the Docker engine would do."""
        if service.limits != Limits():
            return ("the process engine does not enforce limits",)
        return ()

    def inherited(self, environ: Mapping[str, str]) -> Variables:
        """What a command needs that is started from a shell."""
        return {
            name: value
            for name, value in environ.items()
            if name in _INHERITED or name.startswith("LC_")
        }

    async def identify(self, root: Path, service: Service, variables: Variables) -> Source:
        """What a deploy would build from, without keeping a copy."""
        recipe = _recipe(service, variables)
        artifact_id = await self.releases.identify(root / service.path, root, recipe)
        return Source(artifact_id, self.releases.has(artifact_id))

    async def take(
        self, root: Path, service: Service, variables: Variables, *, use_cache: bool = True
    ) -> Source:
        """Copies the source of a service, unless its artifact is there already."""
        recipe = _recipe(service, variables)
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

    async def prepare(self, target: Target, names: Sequence[str]) -> None:
        """Processes share the machine, and need nothing besides."""

    def holder(self, target: Target, service_name: str) -> Holder | None:  # noqa: ARG002 - they share one network
        """None: the gateway listens on a port of this machine."""
        return None

    async def clear(self, target: Target) -> None:
        """Nothing was made."""

    async def release(self, spec: InstanceSpec, command: str, limit_s: float) -> Exit:
        """Runs a command once, where an instance would run."""
        lines = RotatingFile(spec.log)

        def keep(text: str) -> None:
            lines.append([Line(stamp(), Stream.STDOUT, text)])

        folder, environment = (
            self.releases.folder_of(spec.artifact_id),
            _environment(spec.variables),
        )
        try:
            result = await run_build(command, folder, environment, keep, limit_s)
        finally:
            lines.close()
        if result.timed_out_after_s is not None:
            raise TimeoutError
        return Exit(result.exit_code, result.signal)

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
        taken = {port for _, port in spec.taken}
        port = spec.address[1] if spec.address else free_port({*taken, *self._ports.values()})
        self._ports[spec.name] = port
        folder = self._home.instances / spec.name
        described = _shim_spec(spec, command, port, self.releases.folder_of(spec.artifact_id))
        described |= {
            "socket": str(self._socket(spec.name)),
            "record": str(folder / "exit.json"),
        }
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            spec.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            (folder / "exit.json").unlink(missing_ok=True)
            write_atomically(folder / "spec.json", json.dumps(described).encode())
            self._spawn_shim(spec.name, folder)
        except OSError as error:
            raise CompartmentError(
                f"cannot start an instance in {folder}: {error.strerror or error}",
                hint="check that the disk has room",
            ) from error
        return await self._attach(spec.name, port)

    def _spawn_shim(self, name: str, folder: Path) -> None:
        with (folder / "shim.log").open("ab") as output:
            self._shims[name] = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_SHIM), str(folder / "spec.json")],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                env={"PATH": os.defpath},
                start_new_session=True,
            )

    async def _attach(self, name: str, port: int) -> ProcessInstance:
        try:
            async with asyncio.timeout(_SHIM_START_TIMEOUT_S):
                while (instance := await self._connect(name, port)) is None:
                    if self._shims[name].poll() is not None:
                        break
                    await asyncio.sleep(0.002)
        except TimeoutError:
            self._shims[name].kill()
            instance = None
        instance = instance or self._ended_already(name, port)
        if instance is not None:
            return instance
        said = (self._home.instances / name / "shim.log").read_text(errors="replace").strip()
        raise CompartmentError(
            f"the shim of {name} did not come up: {said.splitlines()[-1] if said else 'no output'}"
        )

    def _ended_already(self, name: str, port: int) -> ProcessInstance | None:
        """The instance of a service that was quicker to end than we were to look."""
        record = self._home.instances / name / "exit.json"
        if not record.exists():
            return None
        instance = self._instances[name] = ProcessInstance(name, port, record)
        instance.end()
        return instance

    async def adopt(self, name: str) -> ProcessInstance | None:
        """The instance of an activation, if its shim is there.

        Raises:
            EngineUnavailable: the shim is there, but does not answer.
        """
        if name in self._instances:
            return self._instances[name]
        try:
            described = json.loads((self._home.instances / name / "spec.json").read_text())
            port = int(described["environment"]["PORT"])
        except (OSError, ValueError, KeyError):
            return None
        return await self._connect(name, port)

    async def _connect(self, name: str, port: int) -> ProcessInstance | None:
        try:
            reader, writer = await asyncio.open_unix_connection(self._socket(name))
        except OSError:
            return None
        instance = ProcessInstance(name, port, self._home.instances / name / "exit.json")
        self._instances[name] = instance
        self._conversations[name] = self._tasks.create_task(instance.converse(reader, writer))
        try:
            await instance.wait_known()
        except TimeoutError:
            self._conversations.pop(name).cancel()
            self._instances.pop(name)
            raise EngineUnavailable(f"the shim of {name} does not answer") from None
        return instance

    async def stop(self, name: str, *, grace_s: float) -> None:
        """Ends an instance and forgets it; its log stays."""
        instance, ended = None, set[asyncio.Task[None]]()
        with suppress(EngineUnavailable):  # one that does not answer is killed below
            instance = await self.adopt(name)
        if instance is not None and name in self._conversations:
            await instance.order({"do": "stop", "graceMs": int(grace_s * 1000)})
            conversation = self._conversations[name]
            ended, _ = await asyncio.wait([conversation], timeout=grace_s + _STOP_MARGIN_S)
            conversation.cancel()
        process = self._shims.pop(name, None)
        if process is not None:
            # One that was stopped before it could be talked to takes a signal for an order.
            process.terminate()
            await asyncio.to_thread(_wait_or_kill, process)
        elif not ended:
            await asyncio.to_thread(_kill_shim, self._home.instances / name)
        self._ports.pop(name, None)
        self._instances.pop(name, None)
        self._conversations.pop(name, None)
        await asyncio.to_thread(shutil.rmtree, self._home.instances / name, ignore_errors=True)

    async def instances(self) -> list[str]:
        """The activations that have, or had, a process."""
        return [folder.name for folder in self._home.instances.iterdir()]

    async def usage(self, names: Sequence[str]) -> dict[str, Usage]:
        """What the processes of these instances take now."""
        shims = {name: self._instances[name].shim_pid for name in names if name in self._instances}
        running = {name: pid for name, pid in shims.items() if pid is not None}
        # A thread: it reads a file of every process of the machine.
        return await asyncio.to_thread(usage_of, running) if running else {}

    def shell(self, name: str) -> Shell:
        """A plain shell where the process of an instance runs.

        Raises:
            NotFound: there is no such instance.
        """
        try:
            described = json.loads((self._home.instances / name / "spec.json").read_text())
        except (OSError, ValueError):
            raise NotFound(f"there is no instance {name}", hint="deploy the service") from None
        return Shell(("/bin/sh",), described["cwd"], described["environment"])

    async def prune(self, keep: set[str]) -> None:
        """Deletes the artifacts that are not to be kept."""
        await self.releases.prune(keep)

    def _socket(self, name: str) -> Path:
        return self._home.sockets / f"{name}.sock"


def _wait_or_kill(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_STOP_MARGIN_S)
    except subprocess.TimeoutExpired:
        # Its service dies with it.
        process.kill()
        process.wait()


def _kill_shim(folder: Path) -> None:
    """Kills a shim of an agent before this one that is still there, and with it its service."""
    spec = str(folder / "spec.json")
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cmdline()[-1:] == [spec]:
                process.kill()
                process.wait(_STOP_MARGIN_S)


def _recipe(service: Service, variables: Variables) -> Recipe:
    return Recipe(
        service_name=service.name,
        kind=service.kind,
        build_command=service.build.command,
        build_variables={},
        environment=variables,
        run_command=service.run_command,
    )


def _environment(variables: Variables) -> Variables:
    # Python keeps back what it prints to a pipe, and loses it when it is killed.
    return {"PYTHONUNBUFFERED": "1", **variables}


def _shim_spec(spec: InstanceSpec, command: str, port: int, folder: Path) -> dict[str, Any]:
    restart = spec.service.restart
    return {
        "argv": shell_argv(command),
        "cwd": str(folder),
        "environment": {**_environment(spec.variables), "PORT": str(port)},
        "log": str(spec.log),
        "restart": {"policy": restart.policy, "maxRetries": restart.max_retries},
        "graceMs": 10_000,
    }
