"""A gateway of its own for a test, before two upstreams."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.files import Home
from core.gateway.gateway import Gateway
from core.gateway.table import Ports, Site, Table, Upstream
from tests.e2e.clients import Reply, get
from tests.e2e.echo import echo
from tests.load.plan import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

HOST = "lab.localhost"


@dataclass
class RunningGateway:
    """A gateway before two upstreams, `old` and `new`."""

    home: Home
    gateway: Gateway
    upstreams: dict[str, Upstream]

    def table(self, live: str, *also: str) -> Table:
        """What sends all requests to one upstream; only those named have a cluster."""
        site = Site(HOST, "web", is_public=True, rules=(), live={"web": live})
        return Table((site,), tuple(self.upstreams[name] for name in {live, *also}))

    async def ask(self) -> Reply:
        async with asyncio.timeout(60):
            return await get(Target("127.0.0.1", self.gateway.ports.public, HOST), "/")

    @asynccontextmanager
    async def asked_all_the_time(self) -> AsyncIterator[list[int]]:
        """Requests one after the other; yields the list of their statuses."""
        statuses: list[int] = []

        async def ask() -> None:
            while True:
                statuses.append((await self.ask()).status)

        async with asyncio.TaskGroup() as group:
            asking = [group.create_task(ask()) for _ in range(4)]
            yield statuses
            for task in asking:
                task.cancel()


@asynccontextmanager
async def running_gateway(home: Path, https: int | None = None) -> AsyncIterator[RunningGateway]:
    """Serves `old` when the block begins; at its end nothing of it is left."""
    where = Home(home)
    where.create()
    ports = Ports(0, 0, https=https)
    gateway = Gateway(where.gateway, where.sockets / "envoy.sock", ports)
    async with AsyncExitStack() as stack:
        upstreams = {}
        for name in ("old", "new"):
            address = await stack.enter_async_context(echo(name))
            upstreams[name] = Upstream(name, (address,))
        found = RunningGateway(where, gateway, upstreams)
        try:
            await gateway.start(found.table("old"))
            yield found
        finally:
            await gateway.envoy.stop()
            await gateway.close()
