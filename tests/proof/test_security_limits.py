"""A stranger who is slow, greedy or hostile takes the gateway away from nobody.

Against a real gateway: clients that never end their request, or never begin one; heads without end;
thousands of fields; HTTP/2 connections that open and reset streams as fast as they can, send
header blocks or control frames without end, or ask for windows that they never open; and more
connections than there may be. Each must be refused or bounded, while others are answered. And what
is only slow is never cut: an upload that trickles and a reply that pauses outlive every limit that
the gateway has for those.
"""

from __future__ import annotations

import asyncio
import struct
from contextlib import AsyncExitStack, ExitStack, suppress
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from core.files import Home
from core.gateway import bounds
from tests.proof.security import http2
from tests.proof.security.stronghold import OPEN, request, stronghold

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.figures import FiguresRecorder
    from tests.proof.security.stronghold import Stronghold

pytestmark = pytest.mark.timeout(300)

_PATIENCE_S = 60.0
_HEAD = f"POST /x HTTP/1.1\r\nHost: {OPEN}\r\nConnection: close\r\n".encode()
_MOST_MEMORY = 64 * 1024 * 1024
"""By how much an attack may make the gateway grow."""


@pytest.fixture
async def held(home: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stronghold]:
    """With limits that a test has the time to wait for."""
    monkeypatch.setattr(bounds, "HEAD_S", 2)
    monkeypatch.setattr(bounds, "IDLE_S", 2)
    async with stronghold(home) as found:
        yield found


async def _ends(port: int, *parts: bytes) -> bytes:
    """What comes back until the gateway closes the connection, which it has to do by itself."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
        async with asyncio.timeout(_PATIENCE_S):
            with suppress(ConnectionResetError):
                return await reader.read()
        return b""
    finally:
        writer.close()


async def test_who_does_not_end_or_begin_a_request_is_closed(held: Stronghold) -> None:
    ports = (held.port, held.gateway.ports.internal, held.doors["published"])
    async with asyncio.TaskGroup() as tasks:
        halves = [tasks.create_task(_ends(port, _HEAD)) for port in ports for _ in range(20)]
        silent = [tasks.create_task(_ends(port)) for port in ports]
        await held.still_serves()
    assert all(each.result().startswith(b"HTTP/1.1 408 ") for each in halves)
    assert all(each.result() == b"" for each in silent)


@pytest.mark.whole
async def test_what_is_only_slow_is_never_cut(held: Stronghold) -> None:
    """Both take longer than a head may take, and than a connection may be idle."""
    instance = held.instances["open"]
    instance.pause_s = 3 * bounds.IDLE_S
    reader, writer = await asyncio.open_connection("127.0.0.1", held.port)
    body = b"slowly"
    writer.write(_HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode())
    for at in range(len(body)):
        await asyncio.sleep(bounds.IDLE_S / 3)  # the pace of the upload, nothing that is awaited
        writer.write(body[at : at + 1])
    async with asyncio.timeout(_PATIENCE_S):
        reply = await reader.read()
    writer.close()
    assert reply.startswith(b"HTTP/1.1 200 ")
    assert instance.requests[-1].body == body


async def test_heads_without_end_are_refused(held: Stronghold, counts: FiguresRecorder) -> None:
    line = b"x" * 1000 + b": y\r\n"
    heads = (
        _HEAD + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
        _HEAD + line * 100 + b"\r\n",
        _HEAD + b"x: y\r\n" * 101 + b"\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"X" * 100_000,
    )
    replies = await held.throw(heads, until_closed=True)
    assert [each.split(b" ")[1] for each in replies] == [b"431"] * len(heads)
    await held.still_serves()
    passed_on = [each for each in held.instances["open"].targets if each != "/still"]
    counts("security: heads without end that were passed on", len(passed_on), "requests", 0)
    assert passed_on == []


def _reset_at_once() -> bytes:
    """Rapid reset (CVE-2023-44487): each stream is work for an instance, and costs nothing."""
    asked = http2.block(http2.fields("/reset", OPEN))
    streams = range(1, 10_001, 2)
    return b"".join(
        http2.frame(http2.HEADERS, http2.END_STREAM | http2.END_HEADERS, each, asked)
        + http2.frame(http2.RESET, 0, each, struct.pack(">I", 8))
        for each in streams
    )


_FLOODS = {
    "streams that are reset": _reset_at_once(),
    "header blocks that do not end": http2.frame(http2.HEADERS, 0, 1, http2.block([("a", "b")]))
    + http2.frame(http2.CONTINUATION, 0, 1, http2.block([("x", "y" * 1000)])) * 10_000,
    "settings": http2.frame(http2.SETTINGS, 0, 0, struct.pack(">HI", 1, 0)) * 100_000,
    "pings": http2.frame(http2.PING, 0, 0, b"12345678") * 100_000,
    "empty data": http2.frame(
        http2.HEADERS, http2.END_HEADERS, 1, http2.block(http2.fields("/", OPEN, method="POST"))
    )
    + http2.frame(http2.DATA, 0, 1) * 100_000,
    "windows without end": http2.frame(8, 0, 0, struct.pack(">I", 0x7FFF_FFFF)) * 10,
    "priorities": b"".join(
        http2.frame(2, 0, each, struct.pack(">IB", 0, 1)) for each in range(1, 200_001, 2)
    ),
    "frames of no stream": http2.frame(http2.DATA, 0, 0, b"x") * 10,
    "a frame that is too long": http2.frame(http2.DATA, 0, 1, b"x" * 100_000),
}  # fmt: skip


async def _flood(port: int, flood: bytes) -> bool:
    """Whether the gateway ended the connection, which nothing is read from, by itself."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(http2.PREFACE + http2.frame(http2.SETTINGS, 0, 0))
        with suppress(OSError):
            async with asyncio.timeout(_PATIENCE_S):
                for at in range(0, len(flood), 65_536):
                    writer.write(flood[at : at + 65_536])
                    await writer.drain()
                await reader.read()
    except TimeoutError:
        return False
    else:
        return True
    finally:
        writer.transport.abort()


_WHOLE = [pytest.param(each, marks=pytest.mark.whole) for each in _FLOODS][2:]


@pytest.mark.parametrize("kind", [*list(_FLOODS)[:2], *_WHOLE])
async def test_a_flood_of_frames_ends_its_connection_and_no_other(
    held: Stronghold, kind: str
) -> None:
    envoy = psutil.Process(held.gateway.envoy.pid)
    before = envoy.memory_info().rss
    async with asyncio.TaskGroup() as tasks:
        floods = [tasks.create_task(_flood(held.port, _FLOODS[kind])) for _ in range(5)]
        for _ in range(10):
            await held.still_serves()
    assert all(each.result() for each in floods)
    assert envoy.memory_info().rss - before < _MOST_MEMORY
    # Of what was reset nearly nothing reached the instance.
    assert held.instances["open"].targets.count("/reset") <= 5 * 1000


async def test_of_too_many_connections_the_newest_are_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, counts: FiguresRecorder
) -> None:
    monkeypatch.setattr(bounds, "MOST_CONNECTIONS", 200)
    async with stronghold(home) as held, AsyncExitStack() as stack:
        open_ones = stack.enter_context(ExitStack())
        for _ in range(bounds.MOST_CONNECTIONS):
            _, writer = await asyncio.open_connection("127.0.0.1", held.port)
            open_ones.callback(writer.close)
        assert await held.throw([request("/refused")] * 20) == [b""] * 20
        # Who is inside already goes on: calls between services, and what the gateway tells itself.
        for name, port in (("any", held.doors["inside"]), (OPEN, held.gateway.ports.internal)):
            (reply,) = await held.throw([request("/inside", host=name)], port)
            assert reply.startswith(b"HTTP/1.1 200 ")
        open_ones.close()
        async with asyncio.timeout(_PATIENCE_S):
            while not (await held.throw([request("/after")]))[0].startswith(b"HTTP/1.1 200 "):
                await asyncio.sleep(0)
        assert "/refused" not in held.instances["open"].targets
        counts("security: connections at most", bounds.MOST_CONNECTIONS, "connections")


async def test_the_limits_in_force_are_those_that_are_told(home: Path) -> None:
    """What docs/security.md says, asked of the running gateway itself."""
    async with (
        stronghold(home),
        httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(Home(home).sockets / "envoy.sock"))
        ) as admin,
    ):
        text = (await admin.get("http://envoy/config_dump")).text
    assert '"request_headers_timeout": "30s"' in text
    assert '"idle_timeout": "1000s"' in text
    assert '"max_active_downstream_connections"' in text
