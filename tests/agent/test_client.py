"""The client against bytes as they may come over a connection."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from core.agent.client import Client
from core.errors import AgentUnavailable
from core.files import Home

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

LINES = [{"message": f'{number}, "ä" [日本語] {{}}', "stream": "stdout"} for number in range(50)]
RAW = b"".join(json.dumps(line).encode() + b"\n" for line in LINES)


@asynccontextmanager
async def sending(home: Path, *pieces: bytes, whole: bool = True) -> AsyncIterator[Client]:
    """A client of an agent that sends these pieces, each of them once the last one was read."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for piece in pieces:
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
            await asyncio.sleep(0)
        if whole:
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        writer.close()

    where = Home(home)
    where.create()
    server = await asyncio.start_unix_server(serve, where.agent_socket)
    try:
        async with Client.opened(where) as client:
            yield client
    finally:
        server.close()
        await server.wait_closed()


def cut(raw: bytes, size: int) -> Sequence[bytes]:
    return [raw[at : at + size] for at in range(0, len(raw), size)]


@pytest.mark.parametrize("size", [7, 100, len(RAW) // 2, len(RAW)])
async def test_lines_come_whole_however_they_are_cut(home: Path, size: int) -> None:
    async with sending(home, *cut(RAW, size)) as client:
        batches = [batch async for batch in client.log_batches({})]
        assert all(batches)
        assert [line for batch in batches for line in batch] == LINES
    async with sending(home, *cut(RAW, size)) as client:
        assert [line async for line in client.logs({})] == LINES


async def test_lines_that_come_together_are_told_together(home: Path) -> None:
    async with sending(home, RAW) as client:
        assert len([batch async for batch in client.log_batches({})]) == 1


async def test_what_came_before_the_agent_was_lost_is_told(home: Path) -> None:
    found: list[dict[str, Any]] = []

    async def read(client: Client) -> None:
        async for batch in client.log_batches({}):
            found.extend(batch)

    async with sending(home, RAW, b'{"message": "to', whole=False) as client:
        with pytest.raises(AgentUnavailable):
            await read(client)
    assert found == LINES


async def test_an_agent_that_ends_at_once_is_no_bug_of_ours(home: Path) -> None:
    async with sending(home, b"Internal Server Error") as client:
        with pytest.raises(AgentUnavailable, match="was stopped before it answered"):
            await client.down({"project": "shop"})
