"""Published ports and plain TCP: what is passed on, switched, drained, and refused."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.errors import Conflict
from core.gateway.table import Door, Entrance, Table, Upstream
from core.ports import free_port
from tests.e2e.clients import get
from tests.e2e.echo import mirror
from tests.e2e.gateways import RunningGateway, running_gateway
from tests.load.plan import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HAS_IPV6 = pytest.mark.skipif(
    not Path("/proc/net/if_inet6").exists(), reason="this machine has no IPv6"
)
OLD, NEW = "dep_a.1", "dep_b.1"


@pytest.fixture
async def running(home: Path) -> AsyncIterator[RunningGateway]:
    async with running_gateway(home) as found:
        yield found


@asynccontextmanager
async def talker(activation: str) -> AsyncIterator[Upstream]:
    """Says who it is, then repeats each line after its name: nothing that HTTP would be."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{activation}\n".encode())
        while line := await reader.readline():
            writer.write(f"{activation} {line.decode()}".encode())
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        port = server.sockets[0].getsockname()[1]
        yield Upstream(f"{activation}-5432.tcp", (("127.0.0.1", port),))
    finally:
        server.close()


class Caller:
    """One connection that stays open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def hears(self) -> str:
        async with asyncio.timeout(60):
            return (await self._reader.readline()).decode().strip()

    async def says(self, text: str) -> str:
        self._writer.write(f"{text}\n".encode())
        return await self.hears()


@asynccontextmanager
async def caller_at(port: int) -> AsyncIterator[Caller]:
    async with asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Caller(reader, writer)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def greeting(port: int) -> str:
    """What a new connection is greeted with; empty where it is closed at once."""
    async with caller_at(port) as caller:
        return await caller.hears()


def published(
    port: int, upstream: Upstream | None, *, is_tcp: bool = True, address: str = "127.0.0.1"
) -> Entrance:
    name = f"published.{address}:{port}"
    door = Door(name, address, port, is_published=True, is_new=True)
    return Entrance(name, (door,), upstream.name if upstream else None, is_tcp)


async def test_connections_go_to_who_was_live_when_they_began(running: RunningGateway) -> None:
    port, gateway = free_port(set()), running.gateway
    async with AsyncExitStack() as stack:
        old, new = [await stack.enter_async_context(talker(each)) for each in (OLD, NEW)]
        await gateway.apply(Table((), (old,), (published(port, old),)))
        before = AsyncExitStack()
        first = await before.enter_async_context(caller_at(port))
        assert await first.hears() == OLD
        await gateway.apply(Table((), (old, new), (published(port, new),)))
        second = await stack.enter_async_context(caller_at(port))
        assert await second.hears() == NEW
        assert await first.says("still here") == f"{OLD} still here"
        assert (await gateway.in_flight(OLD)).streams == 1
        assert (await gateway.in_flight(NEW)).streams == 1
        await before.aclose()
        async with asyncio.timeout(60):
            while (await gateway.in_flight(OLD)).streams:
                await asyncio.sleep(0.01)
        await gateway.remove_drained(Table((), (new,), (published(port, new),)))
        assert await second.says("and here") == f"{NEW} and here"


async def test_no_connection_is_lost_while_it_is_switched_again_and_again(
    running: RunningGateway,
) -> None:
    port, heard = free_port(set()), list[str]()
    async with AsyncExitStack() as stack:
        both = [await stack.enter_async_context(talker(each)) for each in (OLD, NEW)]
        await running.gateway.apply(Table((), tuple(both), (published(port, both[0]),)))

        async def call() -> None:
            while True:
                async with caller_at(port) as caller:
                    who = await caller.hears()
                    heard.append(who)
                    assert await caller.says("x") == f"{who} x"

        async with asyncio.TaskGroup() as group:
            calling = [group.create_task(call()) for _ in range(4)]
            for turn in range(20):
                wanted = both[(turn + 1) % 2]
                await running.gateway.apply(Table((), tuple(both), (published(port, wanted),)))
                assert await greeting(port) == wanted.name.partition("-")[0]
            for task in calling:
                task.cancel()
    assert {OLD, NEW} == set(heard)


@pytest.mark.parametrize(("first", "then"), [("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "0.0.0.0")])
async def test_a_port_is_published_at_another_address(
    running: RunningGateway, first: str, then: str
) -> None:
    """Nobody else has it, and it is lost to nobody."""
    port, gateway = free_port(set()), running.gateway
    async with AsyncExitStack() as stack:
        old, new = [await stack.enter_async_context(talker(each)) for each in (OLD, NEW)]
        await gateway.apply(Table((), (old,), (published(port, old, address=first),)))
        assert await greeting(port) == OLD
        wanted = Table((), (old, new), (published(port, new, address=then),))
        await gateway.apply(wanted)
        await gateway.remove_drained(wanted)
        assert await greeting(port) == NEW


async def test_while_nothing_is_live_a_port_stays_ours(running: RunningGateway) -> None:
    port = free_port(set())
    async with talker(OLD) as old:
        await running.gateway.apply(Table((), (old,), (published(port, old),)))
        await running.gateway.apply(Table((), (old,), (published(port, None),)))
        assert await greeting(port) == ""
        await running.gateway.apply(Table((), (old,), (published(port, old),)))
        assert await greeting(port) == OLD


async def test_a_door_on_a_port_of_somebody_else_refuses_the_update(
    running: RunningGateway,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        async with talker(OLD) as old:
            with pytest.raises(Conflict, match=f"port 127.0.0.1:{port} cannot be published"):
                await running.gateway.apply(Table((), (old,), (published(port, old),)))
    assert (await running.ask()).status == 200


@pytest.mark.parametrize("address", ["127.0.0.1", pytest.param("::1", marks=HAS_IPV6)])
async def test_who_came_through_a_published_port_is_told(
    running: RunningGateway, address: str
) -> None:
    """What a proxy before us has said stays: whoever ends TLS there says so."""
    port = free_port(set())
    async with mirror() as upstream:
        await running.gateway.apply(
            Table((), (upstream,), (published(port, upstream, is_tcp=False, address=address),))
        )
        said = {"x-forwarded-for": "1.2.3.4", "x-forwarded-proto": "https"}
        reply = await get(Target(address, port, "shop.example"), "/a//b", **said)
    head = reply.body.decode().lower().splitlines()
    assert head[0] == "get /a//b http/1.1"
    assert "host: shop.example" in head
    assert any(line.startswith("x-forwarded-for: 1.2.3.4,") for line in head)
    assert "x-forwarded-proto: https" in head
    assert not any("envoy" in line or "request-id" in line for line in head)
