"""Environments on a real engine: their networks, and containers that look around on them."""

from __future__ import annotations

import asyncio
import json
import secrets
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.container import NetworkLink
from core.engines.base import WantedNetwork
from core.engines.docker.attachments import Joining
from core.engines.docker.connection import Docker
from core.engines.docker.events import Events
from core.engines.docker.networks import Networks
from core.engines.docker.wiring import Wiring
from core.records import Target
from tests.engine import leftovers
from tests.engine.client import connected

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable

    from core.container import Network
    from core.engines.base import Holder
    from core.engines.docker.attachments import Attachment

IMAGE = "python:3.11-slim"
LIMIT_S = 60
"""Only against hanging."""

_LOOK_EVERY_S = 0.1


TAKES_CONNECTIONS = """
import socket
server = socket.create_server(("", 8000), backlog=100)
while True:
    server.accept()[0].close()
"""


@dataclass(frozen=True)
class Joined:
    """A container on networks of a Compose file."""

    service: str
    id: str
    ends: tuple[Attachment, ...]

    def at(self, network: str) -> str:
        """Its address on a network that has this in its name."""
        return next(each.address for each in self.ends if network in each.network)


class CountingDocker(Docker):
    """Counts what the engine is asked."""

    asked = 0

    async def call(self, work: Callable[[Any], Any]) -> Any:
        self.asked += 1
        return await super().call(work)

    async def get(self, path: str, **parameters: Any) -> Any:
        self.asked += 1
        return await super().get(path, **parameters)


class Environments:
    """The networks of a home, as an agent has them, and what a test adds to them."""

    def __init__(self, docker: CountingDocker, home: str) -> None:
        self.docker = docker
        self.home = home
        self.networks = self.agent()
        self.times_moved = 0
        self.listening: list[asyncio.Task[None]] = []
        self._happened = asyncio.Event()
        self._made: list[str] = []

    def agent(self, *, holds: bool = True, home: str | None = None) -> Networks:
        """Another agent of this home."""
        return Networks(self.docker, home or self.home, holds=holds, moved=self._on_moved)

    async def stop_listening(self) -> None:
        """From now on nothing is heard of what happens on the engine."""
        for task in self.listening:
            task.cancel()
        await asyncio.wait(self.listening)

    def listen(self, _event: object) -> None:
        """Looks again."""
        self._happened.set()

    async def resync(self) -> None:
        """Nothing is kept that could be wrong."""

    def _on_moved(self) -> None:
        self.times_moved += 1
        self._happened.set()

    async def until(self, is_so: Callable[[], Awaitable[bool] | bool]) -> None:
        """Returns when it is so, looking again at once when something happens on the engine."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                self._happened.clear()
                found = is_so()
                if found if isinstance(found, bool) else await found:
                    return
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_EVERY_S):
                        await self._happened.wait()

    async def run(
        self, attachment: Attachment | None, *command: str, tty: bool = False, **host: Any
    ) -> str:
        """Starts a container with Python in it; its id."""
        container = await self.create(attachment, *command, tty=tty, **host)
        await self.docker.call(lambda client: client.start(container))
        return container

    async def create(
        self, attachment: Attachment | None, *command: str, tty: bool = False, **host: Any
    ) -> str:
        def work(client: Any) -> str:
            networking = None
            if attachment is not None:
                host["network_mode"] = attachment.network_id
                endpoint = client.create_endpoint_config(
                    aliases=list(attachment.aliases), ipv4_address=attachment.address
                )
                networking = client.create_networking_config({attachment.network_id: endpoint})
            made = client.create_container(
                IMAGE,
                list(command) or ["sleep", "600"],
                name=f"d-{secrets.token_hex(6)}",
                tty=tty,
                host_config=client.create_host_config(init=True, **host),
                networking_config=networking,
            )
            return str(made["Id"])

        container: str = await self.docker.call(work)
        self._made.append(container)
        return container

    async def join(self, of: Target, service: str, *links: NetworkLink) -> Joined:
        """Starts a service that takes connections on port 8000, on networks of a Compose file."""
        ends = await self.networks.attach(of, Joining(service, links, is_sticky=True))
        wiring = Wiring.of(ends)
        body = {
            "Image": IMAGE,
            "Cmd": ["python3", "-c", TAKES_CONNECTIONS],
            "HostConfig": {"NetworkMode": wiring.mode, "Init": True},
            "NetworkingConfig": wiring.networking(is_named=True),
        }

        def work(client: Any) -> str:
            name = f"d-{secrets.token_hex(6)}"
            made = str(client.create_container_from_config(body, name)["Id"])
            self._made.append(made)
            return made

        container = await self.docker.call(work)
        for network, endpoint in wiring.connections(is_named=True):
            await self.docker.order(
                "POST",
                f"/networks/{network}/connect",
                {"Container": container, "EndpointConfig": endpoint},
            )
        await self.docker.call(lambda client: client.start(container))
        return Joined(service, container, tuple(ends))

    async def python(self, container: str, script: str, *arguments: str) -> str:
        """What a script prints inside a container."""

        def work(client: Any) -> str:
            made = client.exec_create(container, ["python3", "-c", script, *arguments])
            return str(client.exec_start(made["Id"]).decode().strip())

        async with asyncio.timeout(LIMIT_S):
            return str(await self.docker.call(work))

    async def remove(self, container: str) -> None:
        """Ends and removes a container of the test."""
        await self.docker.call(lambda client: client.remove_container(container, force=True))
        if container in self._made:
            self._made.remove(container)

    async def holder_id(self, target: Target, service: str) -> str:
        """The container that holds a name."""
        for each in await self.containers(f"compartment.service={service}"):
            if each["Labels"]["compartment.environment"] == target.environment:
                return str(each["Id"])
        raise AssertionError(service)

    async def containers(self, *labels: str) -> list[Any]:
        """The containers of this home."""
        filters = {"label": [f"compartment.home={self.home}", *labels]}
        found: list[Any] = await self.docker.get(
            "/containers/json", all=1, filters=json.dumps(filters)
        )
        return found

    async def network(self, target: Target) -> Any:
        """The one network of an environment, as the engine describes it."""
        found = [
            each
            for each in await self.all_networks()
            if each["Labels"] and each["Labels"]["compartment.environment"] == target.environment
        ]
        assert len(found) == 1
        return found[0]

    async def all_networks(self) -> list[Any]:
        """The networks of this home."""
        filters = {"label": [f"compartment.home={self.home}"]}
        found: list[Any] = await self.docker.get("/networks", filters=json.dumps(filters))
        return found

    async def end(self) -> None:
        """Removes everything that the test made."""
        for container in list(self._made):
            await self.remove(container)


@asynccontextmanager
async def environments(socket: str) -> AsyncIterator[Environments]:
    """A home of its own on an engine, with an agent that listens; nothing is left of it."""
    docker, home = CountingDocker(socket), f"d{secrets.token_hex(6)}"
    made = Environments(docker, home)
    events = Events(docker)
    for each in (made.networks, made):
        events.subscribe(each.listen, each.resync)
    try:
        async with asyncio.TaskGroup() as tasks:
            made.listening = [tasks.create_task(work()) for work in (events.run, made.networks.run)]
            await events.wait_tried()
            try:
                yield made
            finally:
                await made.stop_listening()
    finally:
        await made.end()
        await docker.close()
        with connected(socket) as client:
            leftovers.remove(client, home)


async def prepare(networks: Networks, of: Target, names: Iterable[str]) -> None:
    """The shared network of an environment, with holders of these names."""
    await networks.prepare(of, [WantedNetwork(None, dict.fromkeys(names, ()))])


async def attach(
    networks: Networks,
    of: Target,
    service: str,
    taken: Collection[str] = (),
    wanted: str | None = None,
) -> Attachment:
    """Attaches to the shared network."""
    (made,) = await networks.attach(of, Joining(service, (), taken, wanted))
    return made


def holder_of(networks: Networks, of: Target, service: str, key: str = "") -> Holder | None:
    """The holder of a name on a network, if there is one."""
    return next((each for each in networks.holders(of, service) if each.network == key), None)


def links(*networks: Network) -> tuple[NetworkLink, ...]:
    """Of a service that is on these networks, under its name alone."""
    return tuple(NetworkLink(each) for each in networks)


def target(environment: str = "production") -> Target:
    """An environment of the tests' project."""
    return Target("d-shop", environment)
