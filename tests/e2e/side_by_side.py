"""One of several environments of a project, and all that can be seen of it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.engines.docker.labels import Role, home_id, only_of
from core.records import Target as Place
from tests.e2e.clients import get
from tests.engine.client import connected

if TYPE_CHECKING:
    from tests.e2e.house import House, Json, LabProject
    from tests.load.plan import Target

_PASSES = ("uptimeSeconds",)
"""What is different at every look."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Of a project that is deployed in several; the engine's socket where they are on Docker."""

    running: House
    project: LabProject
    name: str
    docker_socket: str | None = None

    @property
    def query(self) -> Json:
        """As requests name it."""
        return {"project": self.project.name, "environment": self.name}

    async def deployed(self, trigger: str = "deploy", **more: Any) -> Json:
        """A whole run in it that must succeed."""
        return await self.running.deployed(self.project, trigger, environment=self.name, **more)

    async def promoted(self, source: Environment, **more: Any) -> Json:
        """What is active in another one, promoted to this one."""
        return await self.deployed("promote", sourceEnvironment=source.name, **more)

    async def set(self, service: str | None = None, **values: str) -> None:
        """Sets variables."""
        body = {**self.query, "service": service, "variables": values}
        await self.running.client.import_variables(body)

    async def active(self) -> dict[str, Json]:
        """The active deployment of each service."""
        found = (await self.running.client.status(self.query))["activeDeployments"]
        return {each["serviceName"]: each for each in found}

    async def inspected(self) -> dict[str, Json]:
        """The newest deployment of each service, with all that is known of it."""
        found = (await self.running.client.inspect(self.query))["deployments"]
        return {each["serviceName"]: each for each in found}

    async def target(self, service: str = "web") -> Target:
        """Where its services answer from outside."""
        host = (await self.inspected())[service]["routeHost"]
        return await self.running.target(host)

    async def reply(self, service: str = "web") -> Json:
        """What one of them says of itself."""
        said: Json = (await get(await self.target(service), "/")).json
        return said

    async def look(self) -> Json:
        """All that must stay as it is while nothing is done to it."""
        client = self.running.client
        listed = (await client.variables(self.query))["variables"]
        return {
            "deployments": _lasting((await client.history(self.query))["deployments"]),
            "inspected": _lasting((await client.inspect(self.query))["deployments"]),
            "runs": (await client.runs({**self.query, "limit": 50}))["runs"],
            "variables": [await client.variable(each["keyName"], self.query) for each in listed],
            "logs": [line async for line in client.logs({**self.query, "tail": 1000})],
            "says": await self.reply(),
            "routes": await self._routes(),
            "engine": await asyncio.to_thread(self._on_engine) if self.docker_socket else [],
        }

    async def _routes(self) -> list[tuple[str, list[Json]]]:
        """What the gateway was told of its hosts."""
        hosts = {each["routeHost"] for each in (await self.inspected()).values()}
        written = json.loads((self.running.home.gateway / "routes.json").read_text())
        (table,) = written["resources"]
        return [
            (entrance, each["routes"])
            for each in table["virtual_hosts"]
            for entrance in each["domains"]
            if entrance.partition("/")[2] in hosts
        ]

    def _on_engine(self) -> list[str]:
        """Its containers, each with its last start, and its networks."""
        assert self.docker_socket is not None
        place, home = Place(self.project.name, self.name), home_id(self.running.home)
        with connected(self.docker_socket) as engine:
            containers = [
                engine.inspect_container(each["Id"])
                for role in (Role.INSTANCE, Role.HOLDER)
                for each in engine.containers(all=True, filters=only_of(home, role, place))
            ]
            networks = engine.networks(filters=only_of(home, Role.NETWORK, place))
        return sorted(
            [f"{each['Id']} {each['Name']} {each['State']['StartedAt']}" for each in containers]
            + [f"{each['Id']} {each['Name']}" for each in networks]
        )


def _lasting(deployments: list[Json]) -> list[Json]:
    return [
        {key: value for key, value in each.items() if key not in _PASSES} for each in deployments
    ]
