"""A Compose project of the tests, and looks into its containers on a real engine."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.engines.docker.labels import PROJECT, SERVICE, Role, home_id, only
from tests.compose_projects import copied
from tests.e2e.house import LabProject
from tests.engine.client import connected
from tests.load.plan import Target

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.e2e.house import House, Json

_USUAL = ("docker-compose.yml", "docker-compose.override.yml")

_TRIES = """
try() {
  said=$(LC_ALL=C timeout 2 bash -c ': <>"/dev/tcp/$0/$1"' "$2" "$3" 2>&1)
  case "$?/$said" in
    0/*) echo "$1 reached" ;;
    */*"Connection refused"*) echo "$1 refused" ;;
    *) echo "$1 nothing" ;;
  esac
}
number=0
while [ $# -gt 0 ]; do try "$number" "$1" "$2" & number=$((number + 1)); shift 2; done
wait
"""


@dataclass
class ComposeProject(LabProject):
    """Its name is its own, because the engine calls volumes after it."""

    @classmethod
    def made(cls, folder: Path, name: str) -> ComposeProject:
        """A copy of one of `tests/compose_projects`."""
        root = copied(name, folder).rename(folder / f"{name}-{secrets.token_hex(3)}")
        return cls(root, root.name)

    @classmethod
    def written(cls, folder: Path, name: str, text: str) -> ComposeProject:
        """One of a single file."""
        root = folder / f"{name}-{secrets.token_hex(3)}"
        root.mkdir()
        (root / _USUAL[0]).write_text(text)
        return cls(root, root.name)

    def of_files(self, *names: str) -> ComposeProject:
        """From now on these files, as after `-f`."""
        self.options["files"] = [str(self.root / name) for name in names]
        return self

    def override(self, text: str) -> ComposeProject:
        """Lays this over the files that are there."""
        (self.root / "over.yml").write_text(text)
        return self.of_files(*(name for name in (*_USUAL, "over.yml") if self._has(name)))

    def _has(self, name: str) -> bool:
        return (self.root / name).exists()


class Inside:
    """The containers of a project in one environment that run, straight from the engine."""

    def __init__(self, socket: str, running: House, project: LabProject) -> None:
        self._socket = socket
        self._running = running
        self._project = project

    async def all(self, service: str, role: Role = Role.INSTANCE) -> list[Json]:
        """Those of a service, as `docker inspect` tells."""

        def look() -> list[Json]:
            labels = {PROJECT: self._project.name, SERVICE: service}
            filters = only(home_id(self._running.home), role, **labels)
            with connected(self._socket) as client:
                found = client.containers(filters=filters)
                return [client.inspect_container(each["Id"]) for each in found]

        return await asyncio.to_thread(look)

    async def ids(self, *services: str) -> dict[str, str]:
        """The one container of each of these services."""
        found = {}
        for service in services:
            (one,) = await self.all(service)
            found[service] = str(one["Id"])
        return found

    async def count(self, service: str) -> int:
        """How many of a service there are."""
        return len(await self.all(service))

    async def run(self, service: str, *command: str) -> str:
        """What a command prints in a container of a service; it has to succeed."""
        return await self.run_in((await self.all(service))[0]["Id"], *command)

    async def run_in(self, container: str, *command: str) -> str:
        """The same in a container that is named."""

        def work() -> str:
            with connected(self._socket) as client:
                made = client.exec_create(container, list(command))
                said = str(client.exec_start(made["Id"]).decode().strip())
                assert client.exec_inspect(made["Id"])["ExitCode"] == 0, said
                return said

        return await asyncio.to_thread(work)

    async def reaches(self, service: str, places: Iterable[tuple[str, int]]) -> list[str]:
        """What comes of connecting from a service: `reached`, `refused` or `nothing`."""
        words = [word for host, port in places for word in (host, str(port))]
        said = await self.run(service, "bash", "-c", _TRIES, "bash", *words)
        outcomes = dict(line.split() for line in said.splitlines())
        return [outcomes[str(number)] for number in range(len(words) // 2)]

    async def addresses(self, service: str, *roles: Role) -> list[tuple[str, str]]:
        """The addresses of a service, each with the key of its network.

        Without roles those of its containers, and those that its name leads to instead.
        """
        return [
            (_key(name), each["IPAddress"])
            for role in roles or (Role.INSTANCE, Role.HOLDER)
            for container in await self.all(service, role)
            for name, each in container["NetworkSettings"]["Networks"].items()
        ]


def _key(network: str) -> str:
    """The key of a network in its file; what the engine calls it ends in a digest."""
    return network.rsplit("-", 2)[-2]


async def inspected(running: House, project: LabProject, service: str, **query: str) -> Json:
    """All that is known of the newest deployment of a service."""
    found = await running.client.inspect({"project": project.name, "service": service, **query})
    (deployment,) = found["deployments"]
    return dict(deployment)


async def published(running: House, project: LabProject, service: str, **query: str) -> Target:
    """Where a service is reached from this machine."""
    deployment = await inspected(running, project, service, **query)
    first = deployment["container"]["published"][0]
    return Target(first["host"] or "127.0.0.1", first["port"], "localhost")
