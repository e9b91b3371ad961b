"""Instances on a real engine, without the rest of the program: what they run is a Python text."""

from __future__ import annotations

import asyncio
import io
import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from core.engines.base import InstanceSpec, Owner
from core.engines.docker.connection import Docker
from core.engines.docker.endpoint import Mode
from core.engines.docker.events import Events
from core.engines.docker.instances import Instances
from core.engines.docker.labels import HOME
from core.engines.docker.networks import Networks
from core.lines import Line, decode, part
from core.model import Service
from core.records import Target
from tests.engine import leftovers
from tests.engine.client import connected
from tests.engines.docker.environments import prepare

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from core.engines.docker.instance import DockerInstance

TEXT_IMAGE = f"compartment-lab:text-{secrets.token_hex(4)}"
"""Of this session: others may use the same engine at the same time."""
NAME = "dep_cccccccccccc.1"
LIMIT_S = 60
SERVICE = Service("web", ".")
RUNS_TEXT = """CMD ["python3", "-uc", "import os; exec(os.environ['TEXT'])"]"""
WAITS = "import signal; print('up', flush=True); signal.pause()"


class Lab:
    """What an agent has of one home on an engine; `again` is the agent after it."""

    def __init__(
        self, socket: str, home: str, folder: Path, tasks: asyncio.TaskGroup, mode: Mode
    ) -> None:
        self.home = home
        self.folder = folder
        self.secrets = list[str]()
        """What must not be kept of any output."""
        self.target = Target("lab", home)
        self.docker = Docker(socket)
        self.events = Events(self.docker)
        self.networks = Networks(self.docker, home, holds=False, moved=self.events.moved)
        self.instances = Instances(
            self.docker, home, self.networks, mode, tasks,
            moved=self.events.moved, secrets_of=self._secrets_of,
        )  # fmt: skip
        self.events.subscribe(self.networks.listen, self.networks.resync)
        self.events.subscribe(self.instances.listen, self.instances.resync)
        self._following = tasks.create_task(self.events.run())

    async def _secrets_of(self, deployment_id: str) -> list[str]:
        assert deployment_id == "dep_cccccccccccc"
        return self.secrets

    async def close(self) -> None:
        """As an agent that ends: the containers go on."""
        self._following.cancel()
        self.instances.close()
        await self.docker.close()

    def spec(self, text: str = WAITS, name: str = NAME, **changes: Any) -> InstanceSpec:
        """Of an instance that runs a Python text."""
        given = {
            "name": name,
            "owner": Owner(self.target, "web", "dep_cccccccccccc"),
            "service": SERVICE,
            "artifact_id": "img_c",
            "variables": {"TEXT": text},
            "log": self.log(name),
        }
        return InstanceSpec(**{**given, **changes})

    async def start(
        self, text: str = WAITS, name: str = NAME, *, image: str | None = None, **changes: Any
    ) -> DockerInstance:
        """Starts one."""
        spec = self.spec(text, name, **changes)
        return await self.instances.start(spec, image or await self.image())

    async def image(self, *instructions: str) -> str:
        """Of these instructions, on top of what runs a text."""
        if not instructions:
            return TEXT_IMAGE
        tag = f"compartment-lab:{secrets.token_hex(4)}"
        lines = [f"FROM {TEXT_IMAGE}", f"LABEL {HOME}={self.home}", *instructions]
        await self.docker.call(lambda client: build(client, tag, lines))
        return tag

    def log(self, name: str = NAME) -> Path:
        return self.folder / "logs" / f"{name}.log"

    def lines(self, name: str = NAME) -> list[Line]:
        """All that is kept of an instance's output, the oldest first."""
        number, found = 0, list[Line]()
        while (path := part(self.log(name), number)).exists():
            raw = path.read_bytes().splitlines()
            found = [line for each in raw if (line := decode(each)) is not None] + found
            number += 1
        return found

    def texts(self, name: str = NAME) -> list[str]:
        return [line.text for line in self.lines(name)]

    async def until_printed(self, text: str, name: str = NAME) -> None:
        """Returns when a line is in the log."""
        async with asyncio.timeout(LIMIT_S):
            while text not in self.texts(name):
                await asyncio.sleep(0.01)

    async def execute(self, instance: DockerInstance, command: list[str]) -> None:
        """Runs a command in the container of an instance."""

        def run(client: Any) -> None:
            client.exec_start(client.exec_create(instance.id, command)["Id"])

        await self.docker.call(run)

    async def inspected(self, instance: DockerInstance) -> Any:
        return await self.docker.get(f"/containers/{instance.id}/json")


def build(client: Any, tag: str, lines: list[str]) -> None:
    """Builds an image of a Dockerfile."""
    file = io.BytesIO("\n".join(lines).encode())
    for said in client.build(fileobj=file, tag=tag, rm=True, forcerm=True, decode=True):
        assert "error" not in said, said


@asynccontextmanager
async def lab(socket: str, folder: Path, mode: Mode = Mode.DIRECT) -> AsyncIterator[Lab]:
    """An agent with an environment of its own, of which nothing is left after it."""
    async with labs(socket, folder, mode) as make:
        yield await make(socket)


@asynccontextmanager
async def labs(
    socket: str, folder: Path, mode: Mode = Mode.DIRECT
) -> AsyncIterator[Callable[..., Any]]:
    """Agents of one home, one after the other or through different sockets."""
    home = f"c{secrets.token_hex(5)}"
    made: list[Lab] = []

    async def make(through: str = socket) -> Lab:
        found = Lab(through, home, folder, tasks, mode)
        made.append(found)
        await prepare(found.networks, found.target, ["web"])
        await found.events.wait_tried()
        return found

    try:
        async with asyncio.TaskGroup() as tasks:
            try:
                yield make
            finally:
                for each in made:
                    await each.close()
    finally:
        with connected(socket) as client:
            leftovers.remove(client, home)
