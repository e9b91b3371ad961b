"""Images on a real engine, without the rest of the program."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from core.engines.base import Owner
from core.engines.docker.connection import Docker
from core.engines.docker.events import Events
from core.engines.docker.images import Images
from core.model import Service
from core.records import Target
from tests.engine import leftovers
from tests.engine.client import connected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.engines.base import Source, Variables

SERVICE = Service("web", "web")
LIMIT_S = 60


class Workshop:
    """What an agent has of one home on an engine, and a project to build; `again` follows it."""

    def __init__(self, socket: str, home: str, folder: Path, tasks: asyncio.TaskGroup) -> None:
        self.home = home
        self.root = folder / "project"
        self.docker = Docker(socket)
        self.images = Images(self.docker, home, folder / "sources")
        self.said = list[str]()
        self.something_said = asyncio.Event()
        self.changed = asyncio.Event()
        events = Events(self.docker)
        events.subscribe(self._listen, self.images.resync)
        self._following = tasks.create_task(events.run())
        self.ready = events.wait_tried

    async def close(self) -> None:
        """As an agent that ends."""
        self._following.cancel()
        await self.docker.close()

    def write(self, files: dict[str, str], name: str = "web") -> None:
        """Puts files into the folder of a service."""
        for path, text in files.items():
            file = self.root / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    async def take(
        self, service: Service = SERVICE, variables: Variables | None = None, **how: Any
    ) -> Source:
        """Takes the source of a service."""
        return await self.images.take(self.root, service, variables or {}, **how)

    async def build(self, source: Source, deployment_id: str = "dep_b") -> None:
        """Builds it for a deployment."""
        owner = Owner(Target("b-shop", 'a "$b" \\'), "web", deployment_id)
        await self.images.build(source, owner, self._say)

    async def make(self, service: Service = SERVICE, **how: Any) -> Source:
        """Takes and builds."""
        source = await self.take(service, **how)
        await self.build(source)
        return source

    async def is_built(self, service: Service = SERVICE) -> bool:
        """Whether a deploy would find it built."""
        return (await self.images.identify(self.root, service, {})).is_built

    async def says(self, line: str) -> None:
        """Returns once a line was said."""
        async with asyncio.timeout(LIMIT_S):
            while line not in self.said:
                self.something_said.clear()
                await self.something_said.wait()

    async def loses(self, artifact_id: str) -> None:
        """Returns once an artifact is known to be gone."""
        async with asyncio.timeout(LIMIT_S):
            while self.images.has(artifact_id):
                self.changed.clear()
                await self.changed.wait()

    async def run(self, source: Source, *argv: str) -> str:
        """What a container of the image prints; with no arguments, that of its own command."""
        image, command = self.images.tag_of(source.artifact_id), list(argv) or None

        def run(client: Any) -> str:
            made = client.create_container(image, command, labels={"compartment.home": self.home})
            try:
                client.start(made)
                client.wait(made, timeout=LIMIT_S)
                return str(client.logs(made).decode())
            finally:
                client.remove_container(made, force=True, v=True)

        return await self.docker.call(run)

    def _say(self, line: str) -> None:
        self.said.append(line)
        self.something_said.set()

    def _listen(self, event: dict[str, Any]) -> None:
        self.images.listen(event)
        self.changed.set()


@asynccontextmanager
async def workshop(
    socket: str, folder: Path, *, through: str | None = None
) -> AsyncIterator[Workshop]:
    """A home of its own, of which nothing is left; it may reach the engine through a proxy."""
    home = f"b{secrets.token_hex(5)}"
    try:
        async with again(through or socket, home, folder) as it:
            await it.images.open()
            yield it
    finally:
        with connected(socket) as client:
            leftovers.remove(client, home)
            assert not leftovers.found(client, home)


@asynccontextmanager
async def again(socket: str, home: str, folder: Path) -> AsyncIterator[Workshop]:
    """The agent of a home, or the one after it."""
    async with asyncio.TaskGroup() as tasks:
        it = Workshop(socket, home, folder, tasks)
        try:
            await it.ready()
            yield it
        finally:
            await it.close()
