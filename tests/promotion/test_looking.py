"""What is found out of a container that is ready: where it listens, and what it speaks there."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import pytest

from core.container import Container, Port, Protocol
from core.promotion.looking import declared, look
from core.records import ServedPort

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from core.engines.base import Address, Instance

HTTP, TCP, LOOK, UDP = Protocol.HTTP, Protocol.TCP, Protocol.LOOK, Protocol.UDP


class Ready:
    """An instance whose ports are those of this machine."""

    def __init__(self, listens: Sequence[int] | None = (), host: str = "127.0.0.1") -> None:
        self._listens = listens
        self._host = host
        self.asked: list[int] = []

    async def listens(self) -> tuple[int, ...] | None:
        return None if self._listens is None else tuple(self._listens)

    def address_of(self, port: int) -> Address | None:
        self.asked.append(port)
        return self._host, port


def instances(*found: Ready) -> tuple[Instance, ...]:
    return cast("tuple[Instance, ...]", found)


@asynccontextmanager
async def server(reply: bytes | None) -> AsyncIterator[int]:
    """Sends this to whoever says something; with None it says nothing at all."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        if reply is not None:
            writer.write(reply)
        else:
            await reader.read()
        writer.close()

    running = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield running.sockets[0].getsockname()[1]
    finally:
        running.close()


@pytest.mark.parametrize(
    ("reply", "protocol"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", HTTP),
        (b"HTTP/1.0 500 Oops\r\n\r\n", HTTP),
        (b"-ERR unknown command 'GET'\r\n", TCP),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", TCP),
        (b"HTTP", TCP),
        (b"", TCP),
        (None, TCP),
    ],
)
async def test_what_is_spoken_is_asked_once(reply: bytes | None, protocol: Protocol) -> None:
    async with server(reply) as port:
        (found,) = await look(Container(ports=(Port(port, LOOK),)), instances(Ready()))
        assert found == ServedPort(port, protocol, (("127.0.0.1", port),))


async def test_nobody_asks_where_the_files_say_it() -> None:
    """A database would log it, or count it against us."""
    ready = Ready([5432, 80], host="192.0.2.1")
    files = Container(ports=(Port(80, HTTP), Port(5432, TCP), Port(53, UDP)))
    found = await look(files, instances(ready))
    assert [(each.number, each.protocol) for each in found] == [(80, HTTP), (5432, TCP)]


@pytest.mark.parametrize(
    ("reply", "protocol"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", HTTP),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", TCP),
        (None, HTTP),
        (b"", HTTP),
    ],
)
async def test_what_is_usual_is_believed_unless_it_is_found_otherwise(
    reply: bytes | None, protocol: Protocol
) -> None:
    """A first page may take its time, and a server of gRPC may listen on 8080."""
    async with server(reply) as port:
        files = Container(ports=(Port(port, HTTP, is_usual=True),))
        (found,) = await look(files, instances(Ready()))
        assert found.protocol is protocol


async def test_ports_that_no_file_names_are_found() -> None:
    async with server(b"HTTP/1.1 200 OK\r\n\r\n") as web, server(b"hello") as other:
        found = await look(Container(), instances(Ready([other, web])))
        assert [(each.number, each.protocol) for each in found] == [(web, HTTP), (other, TCP)]
        again = await look(Container(), instances(Ready([web, 6379, other])), found)
        assert {each.number for each in again} == {web, other, 6379}


async def test_a_port_counts_where_all_replicas_listen() -> None:
    found = await look(Container(), instances(Ready([80, 9999]), Ready([80])))
    assert [each.number for each in found] == [80]
    assert len(found[0].addresses) == 2


async def test_where_nobody_can_look_the_files_are_believed() -> None:
    files = Container(ports=(Port(80, HTTP),))
    found = await look(files, instances(Ready(None)))
    assert [each.number for each in found] == [80]
    assert await look(Container(), instances(Ready(None))) == ()


def test_what_is_not_known_yet_is_passed_on() -> None:
    files = Container(ports=(Port(80, HTTP), Port(7000, LOOK), Port(53, UDP)))
    found = declared(files, instances(Ready()))
    assert [(each.number, each.protocol) for each in found] == [(80, HTTP), (7000, TCP)]
