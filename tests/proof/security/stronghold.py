"""A real gateway before instances that keep what they are sent: some are for nobody, one is open.

Whoever attacks it has no login. So the oracle of most proofs is one line: the guarded instances
were sent nothing.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.files import Home
from core.gateway.gateway import Gateway
from core.gateway.table import Door, Entrance, Ports, Site, Table, Upstream, User
from core.model import RouteRule
from core.ports import free_port
from tests.proof.security.recorder import Recorder, recorder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

OPEN, SHUT, INNER = "open.localhost", "shut.localhost", "inner.localhost"
"""Hosts: of a public service, of one that asks for a login, of one that is not for the outside."""

RULES = (
    RouteRule("open", "/api/*", "guarded"),
    RouteRule("open", "/exact", "guarded"),
    RouteRule("open", "/put", "guarded", ("PUT",)),
)
"""Rules of the public service; all lead to one that asks for a login."""

NOBODY = User("nobody", "{SHA}" + "A" * 27 + "=")
"""A user whose password nobody knows."""

GUARDED = ("guarded", "inner")
_PATIENCE_S = 60.0
_AT_ONCE = 200
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


@dataclass
class Stronghold:
    """What is attacked."""

    gateway: Gateway
    table: Table
    instances: dict[str, Recorder]
    doors: dict[str, int]

    @property
    def port(self) -> int:
        """The public listener."""
        return self.gateway.ports.public

    @property
    def reached(self) -> list[str]:
        """What was asked of instances that are for nobody."""
        return [target for name in GUARDED for target in self.instances[name].targets]

    @property
    def malformed(self) -> list[bytes]:
        """What was passed on although not every server would read it alike."""
        return [each for found in self.instances.values() for each in found.malformed]

    async def throw(
        self,
        attacks: Iterable[bytes],
        port: int | None = None,
        patience_s: float = _PATIENCE_S,
        *,
        until_closed: bool = False,
    ) -> list[bytes]:
        """Sends each on a connection of its own, many at a time; returns what came back.

        That is one reply, or all until the gateway closes. After `patience_s` nothing more is
        waited for: some attacks end in the middle.
        """
        turns = asyncio.Semaphore(_AT_ONCE)
        to = port or self.port

        async def one(attack: bytes) -> bytes:
            async with turns:
                return await _throw(to, attack, patience_s, until_closed=until_closed)

        async with asyncio.TaskGroup() as tasks:
            thrown = [tasks.create_task(one(each)) for each in attacks]
        return [each.result() for each in thrown]

    async def still_serves(self) -> None:
        """Asks as anybody may; who gets no reply in time has been denied the service."""
        (reply,) = await self.throw([request("/still")])
        assert reply.startswith(b"HTTP/1.1 200 "), reply


async def _throw(port: int, attack: bytes, patience_s: float, *, until_closed: bool) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    reply = b""
    try:
        writer.write(attack)
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(patience_s):
                while until_closed or not _is_whole(reply):
                    part = await reader.read(65_536)
                    if not part:
                        break
                    reply += part
    finally:
        writer.close()
    return reply


def _is_whole(reply: bytes) -> bool:
    head, end, body = reply.partition(b"\r\n\r\n")
    length = _LENGTH.search(head)
    return bool(end and length) and len(body) >= int(length[1] if length else 0)


def request(
    target: str, *fields: str, host: str = OPEN, method: str = "GET", close: bool = True
) -> bytes:
    """A request; the gateway closes the connection after its reply."""
    ends = ("Connection: close",) if close else ()
    head = [f"{method} {target} HTTP/1.1", f"Host: {host}", *ends, *fields, "", ""]
    return "\r\n".join(head).encode("latin-1")


def _site(host: str, service: str, *, is_public: bool, needs_login: frozenset[str]) -> Site:
    live = {name: f"dep_{name}.1" for name in ("open", *GUARDED)}
    rules = RULES if service == "open" else ()
    return Site(host, service, is_public, rules, live, needs_login, (NOBODY,))


def _table(instances: dict[str, Recorder], doors: dict[str, int]) -> Table:
    guarded = frozenset({"guarded"})
    entrances = (
        Entrance("published", _door("published", doors), "dep_guarded.1", users=(NOBODY,)),
        Entrance("inside", _door("inside", doors, is_published=False), "dep_inner.1"),
    )
    return Table(
        (
            _site(OPEN, "open", is_public=True, needs_login=guarded),
            _site(SHUT, "guarded", is_public=True, needs_login=guarded),
            _site(INNER, "inner", is_public=False, needs_login=frozenset()),
        ),
        tuple(Upstream(f"dep_{name}.1", (each.address,)) for name, each in instances.items()),
        entrances,
    )


def _door(name: str, doors: dict[str, int], *, is_published: bool = True) -> tuple[Door, ...]:
    return (Door(name, "127.0.0.1", doors[name], is_published=is_published),)


@asynccontextmanager
async def stronghold(root: Path) -> AsyncIterator[Stronghold]:
    """All of it for as long as the block lasts."""
    home = Home(root)
    home.create()
    gateway = Gateway(home.gateway, home.sockets / "envoy.sock", Ports(0, 0))
    taken: set[int] = set()
    doors = {}
    for name in ("published", "inside"):
        doors[name] = free_port(taken)
        taken.add(doors[name])
    async with AsyncExitStack() as stack:
        instances = {
            name: await stack.enter_async_context(recorder(name)) for name in ("open", *GUARDED)
        }
        table = _table(instances, doors)
        try:
            await gateway.start(table)
            yield Stronghold(gateway, table, instances, doors)
        finally:
            await gateway.envoy.stop()
            await gateway.close()
