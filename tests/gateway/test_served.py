"""The question for the version that is served, and whoever else may answer it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from core.gateway import served
from core.gateway.routes import VERSION_HOST
from core.gateway.served import ServedVersions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

STRANGERS = {
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "no length": b"HTTP/1.1 200 OK\r\n\r\n1",
    "half a head": b"HTTP/1.1 200 OK\r\ncontent-le",
    "half an answer": b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n12",
    "an endless head": b"HTTP/1.1 200 OK\r\nx: " + b"x" * 100_000,
    "an endless answer": b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n",
    "no text": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n\xff\xfe",
}


def said(version: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(version)}\r\n\r\n{version}".encode()


class Server:
    """Answers one question after the other with what it is given; ends with the last of them."""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self._answers = list(answers)
        self.closes_after_each = False
        self.questions: list[bytes] = []
        self.connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(EOFError, ConnectionError):
            while self._answers:
                self.questions.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(self._answers.pop(0))
                if self.closes_after_each:
                    break
        writer.close()


@asynccontextmanager
async def serving(path: Path, *answers: bytes) -> AsyncIterator[Server]:
    found = Server(answers)
    async with await asyncio.start_unix_server(found.serve, path):
        yield found


async def test_each_answer_is_that_of_its_own_question(tmp_path: Path) -> None:
    path, versions = tmp_path / "s", ServedVersions()
    async with serving(path, *map(said, "123")) as server:
        assert [await versions.at(path) for _ in range(3)] == ["1", "2", "3"]
        assert server.connections == 1
        assert server.questions[0] == server.questions[2]
        assert f"host: {VERSION_HOST}\r\n".encode() in server.questions[0]
    versions.forget_connections()


async def test_a_connection_that_was_closed_is_opened_again(tmp_path: Path) -> None:
    path, versions = tmp_path / "s", ServedVersions()
    async with serving(path, said("1"), said("2")) as server:
        server.closes_after_each = True
        assert await versions.at(path) == "1"
        async with asyncio.timeout(10):
            while not versions._connections[path][0].at_eof():
                await asyncio.sleep(0)
        assert await versions.at(path) == "2"
        assert server.connections == 2
    versions.forget_connections()


async def test_what_was_not_answered_is_asked_on_another_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, versions = tmp_path / "s", ServedVersions()
    async with serving(path, b"", said("1"), said("2")) as server:
        with monkeypatch.context() as patched:
            patched.setattr(served, "_TIMEOUT_S", 0.5)
            assert await versions.at(path) is None
        assert await versions.at(path) == "1"
        versions.forget_connections()
        assert await versions.at(path) == "2"
        assert server.connections == 3
    versions.forget_connections()


@pytest.mark.parametrize("answer", STRANGERS.values(), ids=STRANGERS)
async def test_whoever_else_is_there_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    path, versions = tmp_path / "s", ServedVersions()
    monkeypatch.setattr(served, "_TIMEOUT_S", 0.5)
    async with serving(path, answer):
        assert await versions.at(path) is None


async def test_nobody_says_nothing(tmp_path: Path) -> None:
    assert await ServedVersions().at(tmp_path / "nobody") is None
