"""The complete example, a shop: what is asked of it, and who answered."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.e2e.clients import get
from tests.load.connection import Connection, request_head
from tests.load.load import Load
from tests.load.outcome import LossKind, RequestLost
from tests.load.plan import LoadPlan, RequestClass, Target
from tests.load.requests import take_reusable

if TYPE_CHECKING:
    from collections import deque

    from tests.e2e.compose_project import ComposeProject, Inside
    from tests.e2e.house import House, Json

NGINX = Target("127.0.0.1", 80, "shop.example")
"""As the file publishes it."""

STATEFUL = ("db", "redis")
DRAWN = {
    "nginx": {"frontend"},
    "app": {"frontend", "backend"},
    "worker": {"backend"},
    "db": {"backend"},
    "redis": {"backend"},
}
"""The networks of each service."""

PLAN = LoadPlan(
    fresh_per_s=60,
    keep_alive_per_s=30,
    keep_alive_clients=6,
    posts_per_s=10,
    sse_clients=0,
    websocket_clients=0,
)
"""100 requests/s."""

_ANSWERS_WITHIN_S = 30.0

_ASKS = {
    RequestClass.FRESH: ("GET", "/orders/count", 200),
    RequestClass.KEEP_ALIVE: ("GET", "/", 200),
    RequestClass.POST: ("POST", "/orders", 201),
}
"""The first asks PostgreSQL, the second Redis, the third writes to PostgreSQL."""


class ShopRequests:
    """Sends the requests of a load to the shop; an order carries the id of its request."""

    def __init__(self, target: Target) -> None:
        self._target = target

    async def send(
        self, request_class: RequestClass, number: str, idle: deque[Connection] | None
    ) -> str:
        """Send one, and return the version that replied."""
        method, path, wanted = _ASKS[request_class]
        body = number.encode() if method == "POST" else b""
        connection = take_reusable(idle) or await Connection.open(self._target)
        is_kept = False
        try:
            lines = request_head(method, path, self._target, content_length=len(body))
            connection.write(lines + body)
            head = await connection.read_head()
            said = await connection.read_body(head)
            if head.status != wanted:
                raise RequestLost(LossKind.STATUS, repr(said[:100]), head.status)
            if idle is not None and connection.is_reusable:
                idle.append(connection)
                is_kept = True
            return str(json.loads(said)["version"])
        finally:
            if not is_kept:
                connection.close()


@dataclass(frozen=True)
class Shop:
    """It runs, and belongs to all tests of a file, one after the other."""

    running: House
    project: ComposeProject
    inside: Inside
    at: Target = NGINX

    def bump(self) -> str:
        """A new version of the app; returns its name."""
        path = self.project.root / "app" / "VERSION"
        version = str(int(path.read_text()) + 1)
        path.write_text(f"{version}\n")
        return version

    def load(self) -> Load:
        """100 requests/s on it."""
        return Load(self.at, PLAN, ShopRequests(self.at))

    async def deployed(self, *services: str, **more: Any) -> Json:
        """A whole run of these services, or of all, that must succeed."""
        return await self.running.deployed(self.project, services=list(services), **more)

    async def says(self) -> Json:
        """What its front page says."""
        reply = await get(self.at, "/")
        assert reply.status == 200, reply.body
        found: Json = reply.json
        return found

    async def answers(self) -> Json:
        """What its front page says, once all behind it are there again."""
        async with asyncio.timeout(_ANSWERS_WITHIN_S):
            while True:
                try:
                    if (await get(self.at, "/orders/count")).status == 200:
                        return await self.says()
                except RequestLost:
                    pass
                await asyncio.sleep(0.05)

    async def is_as_it_should_be(self) -> None:
        """One live deployment of each service, and nothing on the engine but its container."""
        async with asyncio.timeout(_ANSWERS_WITHIN_S):
            while True:
                active = await self.running.active(self.project)
                assert {name: len(found) for name, found in active.items()} == dict.fromkeys(
                    DRAWN, 1
                )
                if {found[0]["health"] for found in active.values()} == {"healthy"}:
                    break
                await asyncio.sleep(0.05)
        deployments = sorted(found[0]["id"] for found in active.values())
        instances = self.running.instance_names()
        assert sorted(name.partition(".")[0] for name in instances) == deployments

    async def query(self, sql: str) -> str:
        """What PostgreSQL itself says."""
        return await self.inside.run("db", "psql", "-U", "shop", "-Atc", sql)
