"""Following what is written: nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.lines import Line, RotatingFile, encode, part, stamp
from core.logs.expression import Expression
from core.logs.follow import follow
from core.logs.reader import LogQuery, LogSource
from core.model import Stream
from tests.logs.writing import API, BEGAN, WEB, second, write

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from core.logs.reader import LogLine

DEADLINE_S = 60


class Follower:
    """A `follow` that a test reads from."""

    def __init__(self, found: AsyncIterator[list[LogLine]]) -> None:
        self._found = found
        self._left: list[str] = []

    async def take(self, number: int) -> list[str]:
        """The next lines; waits for them."""
        async with asyncio.timeout(DEADLINE_S):
            while len(self._left) < number:
                self._left += [line.message for line in await anext(self._found)]
        taken, self._left = self._left[:number], self._left[number:]
        return taken


class Looks:
    """The sources of a follower, and how often it has asked for them."""

    def __init__(self) -> None:
        self.number = 0
        self._asked = asyncio.Event()

    def __call__(self) -> Sequence[LogSource]:
        self.number += 1
        self._asked.set()
        return [WEB]

    async def wait_for(self, number: int) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while self.number < number:
                self._asked.clear()
                await self._asked.wait()


@contextlib.asynccontextmanager
async def following(
    logs: Path,
    sources: Callable[[], Sequence[LogSource]] = lambda: [WEB],
    query: LogQuery = LogQuery(),  # noqa: B008 - it is frozen
) -> AsyncIterator[Follower]:
    found = follow(logs, sources, query)
    async with contextlib.aclosing(found):
        yield Follower(found)


def write_now(path: Path, *texts: str) -> None:
    write(path, *texts, at=stamp())


async def test_tail_then_what_comes(tmp_path: Path) -> None:
    path = tmp_path / "dep_a/dep_a.1.log"
    write(path, "a", "b", "c")
    async with following(tmp_path, query=LogQuery(tail=2)) as follower:
        assert await follower.take(2) == ["b", "c"]
        write_now(path, "d")
        assert await follower.take(1) == ["d"]
        write_now(path, "e", "f")
        assert await follower.take(2) == ["e", "f"]


async def test_the_query_holds_for_what_comes(tmp_path: Path) -> None:
    path = tmp_path / "dep_a/dep_a.1.log"
    write(path, "old error", "old")
    streams = frozenset({Stream.STDOUT})
    query = LogQuery(streams=streams, tail=10, since=BEGAN, grep=Expression("error"))
    async with following(tmp_path, query=query) as follower:
        assert await follower.take(1) == ["old error"]
        write(path, "error on stderr", at=stamp(), stream=Stream.STDERR)
        write(path, "error of before", at=second(-1))
        write_now(path, "nothing", "new error")
        assert await follower.take(1) == ["new error"]


async def test_a_file_that_comes_later(tmp_path: Path) -> None:
    write(tmp_path / "dep_a/compartment.log", "stage: building", "stage: starting")
    async with following(tmp_path, query=LogQuery(tail=1)) as follower:
        assert await follower.take(1) == ["stage: starting"]
        write_now(tmp_path / "dep_a/dep_a.1.log", "up", "ready")
        assert await follower.take(2) == ["up", "ready"]


async def test_a_half_written_line_is_told_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "dep_a/dep_a.1.log"
    write(path, "a")
    raw = encode(Line(stamp(), Stream.STDOUT, "in two halves"))
    with path.open("ab", buffering=0) as file:
        file.write(raw[:40])
        looks = Looks()
        async with following(tmp_path, looks) as follower:
            assert await follower.take(1) == ["a"]
            file.write(raw[40:42])
            taking = asyncio.create_task(follower.take(1))
            await looks.wait_for(looks.number + 2)
            file.write(raw[42:])
            assert await taking == ["in two halves"]


@pytest.fixture
def without_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.logs.follow._PAUSE_S", 0.002)


@pytest.mark.usefixtures("without_pause")
@pytest.mark.parametrize("size_bytes", [200, 1000])
async def test_goes_on_wherever_a_rotation_falls(tmp_path: Path, size_bytes: int) -> None:
    path = tmp_path / "dep_a/dep_a.1.log"
    file = RotatingFile(path, size_bytes=size_bytes, parts=400)
    file.append([Line(stamp(), Stream.STDOUT, "first")])
    async with following(tmp_path) as follower:
        assert await follower.take(1) == ["first"]
        for batch in range(60):
            texts = [f"{batch} {number}" for number in range(batch % 23 + 1)]
            for text in texts:
                file.append([Line(stamp(), Stream.STDOUT, text)])
            assert await follower.take(len(texts)) == texts
    file.close()
    assert part(path, 10).exists()


@pytest.mark.usefixtures("without_pause")
async def test_goes_on_while_it_is_rotated(tmp_path: Path) -> None:
    path = tmp_path / "dep_a/dep_a.1.log"
    file = RotatingFile(path, size_bytes=1000, parts=400)
    file.append([Line(stamp(), Stream.STDOUT, "first")])
    count = 5000

    def write_all() -> None:
        for number in range(count):
            file.append([Line(stamp(), Stream.STDOUT, str(number))])

    async with following(tmp_path) as follower:
        assert await follower.take(1) == ["first"]
        writing = asyncio.create_task(asyncio.to_thread(write_all))
        assert await follower.take(count) == [str(number) for number in range(count)]
        await writing
    file.close()
    assert part(path, 10).exists()


async def test_what_is_rotated_away_does_not_end_it(tmp_path: Path) -> None:
    path = tmp_path / "dep_a/dep_a.1.log"
    file = RotatingFile(path, size_bytes=100, parts=2)
    async with following(tmp_path) as follower:
        file.append([Line(stamp(), Stream.STDOUT, "first")])
        assert await follower.take(1) == ["first"]
        for number in range(10):
            file.append([Line(stamp(), Stream.STDOUT, f"{number}" * 40)])
        assert await follower.take(2) == ["8" * 40, "9" * 40]
    file.close()


async def test_from_one_deployment_to_the_next(tmp_path: Path) -> None:
    old, new = tmp_path / "dep_a/dep_a.1.log", tmp_path / "dep_b/dep_b.1.log"
    write(old, "a")
    sources = [WEB]
    async with following(tmp_path, lambda: sources) as follower:
        assert await follower.take(1) == ["a"]
        write_now(new, "before it is a source")
        write_now(old, "last words")
        sources = [API]
        assert sorted(await follower.take(2)) == ["before it is a source", "last words"]
        write_now(new, "b")
        assert await follower.take(1) == ["b"]


async def test_a_deployment_that_comes_back(tmp_path: Path) -> None:
    old, new = tmp_path / "dep_a/dep_a.1.log", tmp_path / "dep_b/dep_b.1.log"
    write(old, "a")
    sources = [WEB]
    async with following(tmp_path, lambda: sources) as follower:
        assert await follower.take(1) == ["a"]
        raw = encode(Line(stamp(), Stream.STDOUT, "meanwhile"))
        with old.open("ab", buffering=0) as file:
            file.write(raw[:35])
            sources = [API]
            write_now(new, "b")
            assert await follower.take(1) == ["b"]
            write_now(new, "c")
            assert await follower.take(1) == ["c"]
            file.write(raw[35:])
        sources = [WEB]
        assert await follower.take(1) == ["meanwhile"]
        write_now(old, "again")
        assert await follower.take(1) == ["again"]


async def test_the_past_of_a_latecomer_is_not_told(tmp_path: Path) -> None:
    write(tmp_path / "dep_a/dep_a.1.log", "a")
    write(tmp_path / "dep_b/dep_b.1.log", "long ago")
    sources = [WEB]
    async with following(tmp_path, lambda: sources) as follower:
        assert await follower.take(1) == ["a"]
        sources = [WEB, API]
        write_now(tmp_path / "dep_b/dep_b.2.log", "rolled back")
        assert await follower.take(1) == ["rolled back"]


async def test_more_than_one_look_takes(tmp_path: Path) -> None:
    path = tmp_path / "dep_a/dep_a.1.log"
    write(path, "first")
    async with following(tmp_path) as follower:
        assert await follower.take(1) == ["first"]
        texts = [f"{number} " + "x" * 10_000 for number in range(400)]
        write_now(path, *texts)
        assert await follower.take(400) == texts


async def test_closes_its_files(tmp_path: Path) -> None:
    write(tmp_path / "dep_a/dep_a.1.log", "a")
    async with following(tmp_path) as follower:
        await follower.take(1)
        assert open_logs(tmp_path) == 1
    assert open_logs(tmp_path) == 0


def open_logs(logs: Path) -> int:
    found = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found += descriptor.readlink().is_relative_to(logs)
    return found
