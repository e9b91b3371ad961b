"""The proxy that cuts, refuses and stalls, in front of a server that echoes lines."""

from __future__ import annotations

import asyncio
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest

from tests.engine.cut import cut

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.engine.cut import Cut

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with closing(writer), suppress(ConnectionError):
        while line := await reader.readline():
            writer.write(line)
        writer.write(b"end\n")


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[Cut]:
    server = await asyncio.start_unix_server(echo, tmp_path / "echo.sock")
    async with server, cut(str(tmp_path / "echo.sock")) as proxy:
        yield proxy


async def connection(proxy: Cut) -> Connection:
    reader, writer = await asyncio.open_unix_connection(proxy.socket)
    assert await said(reader, writer, b"hello\n") == b"hello\n"
    return reader, writer


async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes) -> bytes:
    writer.write(line)
    async with asyncio.timeout(60):
        return await reader.readline()


async def test_every_byte_and_the_end_are_passed_on(proxy: Cut) -> None:
    reader, writer = await connection(proxy)
    many = b"x" * 50_000 + b"\n"
    assert await said(reader, writer, many) == many
    writer.write_eof()
    assert await reader.read() == b"end\n"
    writer.close()


async def test_cut_connections_end_and_new_ones_are_taken(proxy: Cut) -> None:
    (reader, writer), other = await connection(proxy), await connection(proxy)
    assert proxy.connections == 2
    proxy.cut_all()
    for each in (reader, other[0]):
        with suppress(ConnectionResetError):
            assert await each.read() == b""
    writer.close()
    other[1].close()
    (await connection(proxy))[1].close()


async def test_refused_are_the_new_ones_only(proxy: Cut) -> None:
    reader, writer = await connection(proxy)
    proxy.refuse(True)
    with pytest.raises(FileNotFoundError):
        await asyncio.open_unix_connection(proxy.socket)
    assert await said(reader, writer, b"still here\n") == b"still here\n"
    proxy.refuse(False)
    (await connection(proxy))[1].close()
    writer.close()


async def test_stalled_lines_arrive_later(proxy: Cut) -> None:
    reader, writer = await connection(proxy)
    proxy.stall(True)
    line = asyncio.ensure_future(said(reader, writer, b"late\n"))
    answered, _ = await asyncio.wait([line], timeout=0.2)
    assert not answered
    proxy.stall(False)
    assert await line == b"late\n"
    writer.close()
