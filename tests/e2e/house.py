"""A home folder with a real agent, a real gateway and real services, and a project to deploy."""

from __future__ import annotations

import asyncio
import json
import os
import select
import shutil
import signal
import time
from contextlib import ExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from core.agent.client import Client
from core.engines.docker.labels import home_id
from core.errors import CompartmentError
from core.files import Home
from core.gateway.table import Ports
from tests.engine import leftovers
from tests.engine.client import connected
from tests.engine.looks import ended_at, first_pids, host_address, instance_names
from tests.load.access_log import AccessLog
from tests.load.log_receiver import LogReceiver
from tests.load.plan import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Json = dict[str, Any]

LAB = Path(__file__).parents[2] / "examples" / "lifecycle-lab"
_ENDED_WITHIN_S = 10.0


@dataclass
class LabProject:
    """A copy of the lab's application, with a project file that a test writes."""

    root: Path
    name: str = "lab"
    receiver: LogReceiver | None = None
    """Where instances send what they did that cannot write to a file here: those in containers."""
    version: int = 0
    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    options: Json = field(default_factory=dict)
    """What each of its runs says besides."""

    @property
    def access_log_path(self) -> Path:
        """Where every instance writes what it did."""
        return self.root.parent / "access.log"

    @property
    def access_log(self) -> AccessLog:
        """What the instances did so far."""
        if self.receiver:
            self.receiver.catch_up()
        return AccessLog.read(self.access_log_path)

    def write(self, **services: dict[str, Any]) -> None:
        """Writes the project file; `lab` of a service are its LAB_ variables, the rest fields.

        A field that is None is left out.
        """
        self.services |= services
        described = {name: self._described(given) for name, given in self.services.items()}
        # JSON is YAML.
        text = json.dumps({"name": self.name, "services": described}, indent=1)
        (self.root / "compartment.yml").write_text(text)

    def _described(self, given: dict[str, Any]) -> dict[str, Any]:
        lab = {**self._reachable(), **given.get("lab", {})}
        variables = " ".join(f"LAB_{name.upper()}='{value}'" for name, value in lab.items())
        default = {"path": "app", "readiness": {"type": "http", "path": "/up"}}
        fields = {name: value for name, value in given.items() if name != "lab"}
        run = {"command": f"{variables} exec python3 server.py"}
        described = {**default, "run": run, **fields}
        return {name: value for name, value in described.items() if value is not None}

    def _reachable(self) -> dict[str, Any]:
        if self.receiver:
            return {"access_log": self.receiver.url, "bind": "0.0.0.0"}
        return {"access_log": self.access_log_path}

    def route(self, *rules: dict[str, Any]) -> None:
        """Writes the route rules."""
        text = json.dumps({"version": 1, "routes": rules})
        (self.root / "compartment.routes.yml").write_text(text)

    def bump(self) -> str:
        """Makes a new version of the source; returns its name."""
        self.version += 1
        (self.root / "app" / "VERSION").write_text(f"v{self.version}\n")
        return f"v{self.version}"


class House:
    """What a test deploys with: the client of a running agent, and the engine of all deploys."""

    def __init__(self, home: Home, client: Client, docker_socket: str | None = None) -> None:
        self.home = home
        self.client = client
        self.engine = "docker" if docker_socket else "process"
        self._docker_socket = docker_socket
        self._receivers = ExitStack()

    def close(self) -> None:
        """Takes no more access logs."""
        self._receivers.close()

    def lab(self, folder: Path, name: str = "lab") -> LabProject:
        """A new project of the lab's application, without services yet."""
        root = folder / name
        shutil.copytree(LAB / "app", root / "app", ignore=shutil.ignore_patterns("__pycache__"))
        project = LabProject(root, name)
        if self._docker_socket:
            receiver = LogReceiver(host_address(self._docker_socket), project.access_log_path)
            project.receiver = self._receivers.enter_context(receiver)
        project.bump()
        return project

    async def submit(self, project: LabProject, trigger: str = "deploy", **more: Any) -> str:
        """Begins a run; returns its id."""
        body = {
            "project": project.name,
            "trigger": trigger,
            "root": str(project.root),
            "environ": dict(os.environ),
            "engine": self.engine,
            **project.options,
            **more,
        }
        run = await self.client.submit(body)
        return str(run["id"])

    async def events(self, run_id: str) -> list[Json]:
        """All events of a run, once it has ended; also across the death of the agent."""
        events: list[Json] = []
        while not events or events[-1]["type"] != "RunFinished":
            after = events[-1]["seq"] if events else 0
            try:
                events += [event async for event in self.client.events(after, run_id)]
            except CompartmentError:
                await self.client.attach()
        return events

    async def end(self, run_id: str) -> Json:
        """The result of a run, once it has ended."""
        await self.events(run_id)
        return await self.client.run_result(run_id)

    async def run(self, project: LabProject, trigger: str = "deploy", **more: Any) -> Json:
        """A whole run; returns its result."""
        return await self.end(await self.submit(project, trigger, **more))

    async def deployed(self, project: LabProject, trigger: str = "deploy", **more: Any) -> Json:
        """A whole run that must succeed."""
        result = await self.run(project, trigger, **more)
        assert result["run"]["status"] == "succeeded", result["failureMessage"]
        return result

    async def until(self, run_id: str, type_: str, **fields: Any) -> Json:
        """Waits for an event of a run."""
        async for event in self.client.events(0, run_id):
            wanted = all(event.get(name) == value for name, value in fields.items())
            if event["type"] == type_ and wanted:
                return event
        raise AssertionError(f"run {run_id} ended without {type_} {fields}")

    async def target(self, host: str = "lab.localhost") -> Target:
        """The gateway's public listener, asked for a host."""
        address, _, port = (await self.client.agent())["publicAddress"].rpartition(":")
        return Target(address, int(port), host)

    async def status(self, project: LabProject) -> dict[str, Json]:
        """The newest deployment of each service."""
        status = await self.client.status({"project": project.name})
        return {each["serviceName"]: each for each in status["deployments"]}

    async def active(self, project: LabProject) -> dict[str, list[Json]]:
        """The active deployments of each service: exactly one, or the state is wrong."""
        status = await self.client.status({"project": project.name})
        found: dict[str, list[Json]] = {}
        for each in status["activeDeployments"]:
            found.setdefault(each["serviceName"], []).append(each)
        return found

    async def agent_pid(self) -> int:
        """The process of the agent."""
        return int((await self.client.agent())["pid"])

    def gateway_pid(self) -> int:
        """The process of Envoy."""
        return int(json.loads((self.home.gateway / "envoy.json").read_text())["pid"])

    def instance_names(self) -> set[str]:
        """The instances that have a process or a container, or left one behind."""
        if self._docker_socket:
            return instance_names(self._docker_socket, home_id(self.home))
        return {folder.name for folder in self.home.instances.iterdir()}

    def first_pids(self) -> list[int]:
        """The processes whose end is the end of an instance, whatever watches over it."""
        if self._docker_socket:
            return first_pids(self._docker_socket, home_id(self.home))
        found = processes_of(self.home)
        return [each.pid for each in found if "core/engines/process/shim.py" in _command(each)]

    async def ended_at(self, project: LabProject, deployment_id: str) -> datetime:
        """When the one instance of a deployment has ended, by who waited for it."""
        if self._docker_socket:
            look = (self._docker_socket, home_id(self.home), f"{deployment_id}.1")
            return await asyncio.to_thread(ended_at, *look)
        query = {"project": project.name, "deployment": deployment_id, "tail": 1000}
        lines = [line async for line in self.client.logs(query)]
        (ended,) = [line for line in lines if "the process exited" in line["message"]]
        return datetime.fromisoformat(ended["timestamp"])


@asynccontextmanager
async def house(
    home: Path, docker_socket: str | None = None, https: int | None = None
) -> AsyncIterator[House]:
    """A running house, on Docker if the socket is given; at the end nothing of it is left."""
    where = Home(home)
    try:
        async with Client.connected(where, ports=Ports(0, 0, https=https)) as client:
            with closing(House(where, client, docker_socket)) as found:
                yield found
    finally:
        end_everything(where)
        if docker_socket:
            with connected(docker_socket) as engine:
                leftovers.remove(engine, home_id(where))
        # Shown by pytest when the test has failed.
        print(where.agent_output.read_text())  # noqa: T201


def kill(pid: int) -> None:
    """Kills a process that a test started, and waits until it is gone.

    With all its threads: until the last one has ended, its ports, sockets and locks are held.
    """
    handle = os.pidfd_open(pid)
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        select.select([handle], [], [], _ENDED_WITHIN_S)
    finally:
        os.close(handle)


def end_everything(home: Home) -> None:
    """Ends what belongs to the home, found by its folder: the agent first, it would start more."""
    deadline = time.monotonic() + _ENDED_WITHIN_S
    while (left := processes_of(home)) and time.monotonic() < deadline:
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=1)


def _command(process: psutil.Process) -> str:
    with suppress(psutil.Error):  # others come and go
        return " ".join(process.cmdline())
    return ""


def processes_of(home: Home) -> list[psutil.Process]:
    """All processes of a home, the agent first."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            named = [*process.cmdline(), process.environ().get("COMPARTMENT_HOME", "")]
            if process.pid != os.getpid() and any(str(home.root) in part for part in named):
                found.append(process)
    return sorted(found, key=lambda process: "core.agent.daemon" not in _command(process))
