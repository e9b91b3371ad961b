"""What is said when nobody answers, or somebody stops: the system's words, however wrapped."""

from __future__ import annotations

import asyncio
import gc
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from core.engines.docker.connection import Docker
from core.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """The SDK leaves sockets to the garbage collector, which is not to come in another test."""
    yield
    gc.collect()


async def with_the_sdk(engine: Docker) -> None:
    await engine.call(lambda client: client.version())


async def without_it(engine: Docker) -> None:
    await engine.get("/version")


async def hangs_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def stops_in_the_middle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc")
    writer.close()


@pytest.fixture
def folder(home: Path) -> Path:
    """Short enough for the path of a socket."""
    home.mkdir()
    return home


@asynccontextmanager
async def engine_at(socket: Path) -> AsyncIterator[Docker]:
    found = Docker(str(socket))
    try:
        yield found
    finally:
        await found.close()
        # Until it has ended, a thread may still hold what it has raised, and so a socket.
        for thread in threading.enumerate():
            if thread.name.startswith("docker"):
                await asyncio.to_thread(thread.join)


@pytest.mark.parametrize("ask", [with_the_sdk, without_it])
async def test_nobody_is_there(folder: Path, ask: Callable[[Docker], Awaitable[None]]) -> None:
    async with engine_at(folder / "none.sock") as engine:
        with pytest.raises(EngineUnavailable) as told:
            await ask(engine)
    assert told.value.message == "the Docker Engine does not answer: No such file or directory"


@pytest.mark.parametrize("ask", [with_the_sdk, without_it])
@pytest.mark.parametrize("answer", [hangs_up, stops_in_the_middle])
async def test_it_goes_away(
    folder: Path,
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    ask: Callable[[Docker], Awaitable[None]],
) -> None:
    socket = folder / "docker.sock"
    async with await asyncio.start_unix_server(answer, str(socket)), engine_at(socket) as engine:
        with pytest.raises(EngineUnavailable) as told:
            await ask(engine)
    assert told.value.message.startswith("the Docker Engine does not answer: ")
    assert "Error(" not in told.value.message
    assert "('" not in told.value.message
