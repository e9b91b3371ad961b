"""The instances of a home: each a process under a shim, which outlives the agent."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from core.engines.process.instance import ProcessInstance, recorded_exit
from core.engines.source.detect import shell_argv
from core.errors import CompartmentError, EngineUnavailable
from core.files import is_seen_by, write_atomically
from core.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from core.engines.base import Exit, InstanceSpec, Variables
    from core.files import Home

_SHIM = Path(__file__).with_name("shim.py")
_SPEC = "spec.json"
_SHIM_START_TIMEOUT_S = 10.0
_STOP_MARGIN_S = 5.0


class Instances:
    """Starts, adopts and ends them. `tasks` owns the conversations with the shims."""

    def __init__(self, home: Home, tasks: asyncio.TaskGroup) -> None:
        self._home = home
        self._tasks = tasks
        self._ports: dict[str, int] = {}
        """Given out, also to services that do not listen yet."""
        self._instances: dict[str, ProcessInstance] = {}
        self._shims: dict[str, subprocess.Popen[bytes]] = {}
        self._conversations: dict[str, asyncio.Task[None]] = {}
        self._strays = set[str]()
        """Those whose folder is gone."""

    def close(self) -> None:
        """Ends the conversations; the instances go on."""
        for conversation in self._conversations.values():
            conversation.cancel()
        for process in self._shims.values():
            # It goes on without us, on purpose.
            process.returncode = process.poll() or 0

    def look_for_strays(self) -> None:
        """Finds what goes on although the home folder was removed, and another one made."""
        for process in psutil.process_iter():
            with suppress(psutil.Error):  # others come and go
                spec = Path(*process.cmdline()[-1:])
                is_ours = spec.parent.parent == self._home.instances and spec.name == _SPEC
                if is_ours and not spec.exists() and is_seen_by(self._home.instances, process.pid):
                    self._strays.add(spec.parent.name)

    async def start(self, spec: InstanceSpec, command: str, cwd: Path) -> ProcessInstance:
        """Starts a command in a folder, under a shim of its own.

        Raises:
            CompartmentError: no port is free, or the shim does not come up.
        """
        taken = {port for _, port in spec.taken}
        port = spec.address[1] if spec.address else free_port({*taken, *self._ports.values()})
        self._ports[spec.name] = port
        folder = self._home.instances / spec.name
        described = _shim_spec(spec, command, port, cwd)
        described |= {
            "socket": str(self._socket(spec.name)),
            "record": str(folder / "exit.json"),
        }
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            spec.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            (folder / "exit.json").unlink(missing_ok=True)
            write_atomically(folder / _SPEC, json.dumps(described).encode())
            shim = self._spawn_shim(spec.name, folder)
        except OSError as error:
            raise CompartmentError(
                f"cannot start an instance in {folder}: {error.strerror or error}",
                hint="check that the disk has room",
            ) from error
        private = {
            "environment": environment_of(spec.variables, port),
            "secrets": spec.secrets,
        }
        await asyncio.to_thread(_hand_over, shim, json.dumps(private).encode())
        return await self._attach(spec.name, port)

    def _spawn_shim(self, name: str, folder: Path) -> subprocess.Popen[bytes]:
        with (folder / "shim.log").open("ab") as output:
            shim = self._shims[name] = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_SHIM), str(folder / _SPEC)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=folder,
                env={"PATH": os.defpath},
                start_new_session=True,
            )
        return shim

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
        """The instance of a name, if its shim is there.

        Raises:
            EngineUnavailable: the shim is there, but does not answer.
        """
        if name in self._instances:
            return self._instances[name]
        described = self.described(name)
        if described is None:
            return None
        return await self._connect(name, port_of(described))

    def exit_of(self, name: str) -> Exit | None:
        """How one has ended; None where nobody has recorded it, or it has not."""
        return recorded_exit(self._home.instances / name / "exit.json")

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
        self._strays.discard(name)
        await asyncio.to_thread(shutil.rmtree, self._home.instances / name, ignore_errors=True)

    def names(self) -> list[str]:
        """Of all that have, or had, a process."""
        return [*(folder.name for folder in self._home.instances.iterdir()), *self._strays]

    def described(self, name: str) -> dict[str, Any] | None:
        """What the shim of an instance was told."""
        try:
            found: dict[str, Any] = json.loads((self._home.instances / name / _SPEC).read_text())
        except (OSError, ValueError):
            return None
        return found

    def shims(self, names: Iterable[str]) -> dict[str, int]:
        """The processes that watch over these instances; without those that have ended."""
        known = {name: self._instances[name].shim_pid for name in names if name in self._instances}
        return {name: pid for name, pid in known.items() if pid is not None}

    def _socket(self, name: str) -> Path:
        return self._home.sockets / f"{name}.sock"


def environment_of(variables: Variables, port: int | None = None) -> Variables:
    """What a process sees: a service's variables, and the port that it was given."""
    given = {"PORT": str(port)} if port is not None else {}
    # Python keeps back what it prints to a pipe, and loses it when it is killed.
    return {"PYTHONUNBUFFERED": "1", **variables, **given}


def port_of(described: Mapping[str, Any]) -> int:
    """The port of an instance that a shim was told of."""
    # One that an earlier version has started has it in its environment, which stood there too.
    return int(described.get("port") or described["environment"]["PORT"])


def _shim_spec(spec: InstanceSpec, command: str, port: int, folder: Path) -> dict[str, Any]:
    restart = spec.service.restart
    return {
        "argv": shell_argv(command),
        "cwd": str(folder),
        "port": port,
        "log": str(spec.log),
        "restart": {"policy": restart.policy, "maxRetries": restart.max_retries},
        "isKept": spec.is_kept,
        "graceMs": 10_000,
    }


def _hand_over(shim: subprocess.Popen[bytes], private: bytes) -> None:
    """Gives a shim what must not be found in any file, through its standard input."""
    assert shim.stdin is not None
    # A shim that has ended needs nothing: whoever attaches to it finds out why.
    with suppress(BrokenPipeError), shim.stdin:
        shim.stdin.write(private)


def _wait_or_kill(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_STOP_MARGIN_S)
    except subprocess.TimeoutExpired:
        # Its service dies with it.
        process.kill()
        process.wait()


def _kill_shim(folder: Path) -> None:
    """Kills a shim of an agent before this one that is still there, and with it its service."""
    spec = str(folder / _SPEC)
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cmdline()[-1:] == [spec]:
                process.kill()
                process.wait(_STOP_MARGIN_S)
