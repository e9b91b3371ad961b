"""A gateway before a thousand services, each with a host name, an entrance and a health check."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.files import Home
from core.gateway.gateway import Gateway
from core.gateway.table import Check, Door, Entrance, Ports, Site, Table, Upstream
from core.model import RouteRule
from core.ports import free_port
from tests.e2e.echo import echo

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_SECONDS_BETWEEN_CHECKS = 1.0


@dataclass
class ManyRoutes:
    """The gateway, and how many times each service was replaced."""

    gateway: Gateway
    address: tuple[str, int]
    ports: list[int]
    """Those of the entrances."""
    generations: list[int]

    def table(self) -> Table:
        """What it serves: every tenth service has a rule that leads to the one after it."""
        names = [f"dep_{number:012}.{each}" for number, each in enumerate(self.generations, 1)]
        live = {f"service-{number}": name for number, name in enumerate(names)}
        check = Check("/up", _SECONDS_BETWEEN_CHECKS)
        return Table(
            sites=tuple(self._site(number, live) for number in range(len(names))),
            upstreams=tuple(Upstream(name, (self.address,), check) for name in names),
            entrances=tuple(
                self._entrance(number, name, self.ports[number])
                for number, name in enumerate(names)
            ),
        )

    def _site(self, number: int, live: dict[str, str]) -> Site:
        to = f"service-{(number + 1) % len(self.generations)}"
        rules = (RouteRule(f"service-{number}", "/api/*", to),) if number % 10 == 0 else ()
        return Site(f"service-{number}.localhost", f"service-{number}", True, rules, live)

    def _entrance(self, number: int, upstream: str, port: int) -> Entrance:
        door = Door(f"service-{number}:{port}", "127.0.0.1", port)
        return Entrance(f"service-{number}.localhost", (door,), upstream)


@asynccontextmanager
async def many_routes(home: Path, count: int) -> AsyncIterator[ManyRoutes]:
    """Serves so many services when the block begins; at its end nothing of it is left."""
    where = Home(home)
    where.create()
    gateway = Gateway(where.gateway, where.sockets / "envoy.sock", Ports(0, 0))
    taken: set[int] = set()
    for _ in range(count):
        taken.add(free_port(taken))
    async with echo("all") as address:
        found = ManyRoutes(gateway, address, sorted(taken), [1] * count)
        try:
            await gateway.start(found.table())
            yield found
        finally:
            await gateway.envoy.stop()
            await gateway.close()
