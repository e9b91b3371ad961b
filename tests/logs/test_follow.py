from __future__ import annotations

import asyncio
import os
from contextlib import aclosing, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from core.lines import Line, RotatingFile, stamp
from core.logs.files import log_files
from core.logs.follow import _Follower, follow
from core.logs.reader import LogQuery, LogSource
from core.model import Stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest

    from core.logs.reader import LogLine

ONE = LogSource("dep_1", "web", "production")
TWO = LogSource("dep_2", "web", "production")


class Writer:
    """Writes numbered lines, as an instance would."""

    def __init__(self, logs: Path, source: LogSource, size_bytes: int = 10**6) -> None:
        name = f"{source.deployment_id}.1.log"
        self._file = RotatingFile(logs / source.deployment_id / name, size_bytes=size_bytes)

    def close(self) -> None:
        self._file.close()

    def write(self, *texts: str) -> None:
        self._file.append([Line(stamp(), Stream.STDOUT, text) for text in texts])


async def take(batches: AsyncIterator[list[LogLine]], count: int) -> list[str]:
    """The messages of whole batches, as many as it takes."""
    found: list[str] = []
    async with asyncio.timeout(60):
        while len(found) < count:
            batch = await anext(batches)
            assert batch
            found += [line.message for line in batch]
    return found


async def test_the_tail_and_then_what_is_new(tmp_path: Path) -> None:
    writer = Writer(tmp_path, ONE)
    writer.write("1", "2", "3")
    async with aclosing(follow(tmp_path, lambda: [ONE], LogQuery(tail=2))) as batches:
        assert await take(batches, 2) == ["2", "3"]
        writer.write("4")
        assert await take(batches, 1) == ["4"]
        writer.write("5", "6")
        assert await take(batches, 2) == ["5", "6"]


async def test_a_service_is_followed_to_its_next_deployment(tmp_path: Path) -> None:
    sources = [ONE]
    Writer(tmp_path, ONE).write("old")
    async with aclosing(follow(tmp_path, lambda: sources, LogQuery())) as batches:
        assert await take(batches, 1) == ["old"]
        Writer(tmp_path, TWO).write("new from its first line")
        sources[:] = [TWO]
        assert await take(batches, 1) == ["new from its first line"]


async def test_nothing_is_lost_or_doubled_over_rotations(tmp_path: Path) -> None:
    count = 600
    writer = Writer(tmp_path, ONE, size_bytes=8000)
    expected = [str(number) for number in range(count)]

    async def write_slowly() -> None:
        for number in expected:
            writer.write(number)
            await asyncio.sleep(0.001)

    async with (
        aclosing(follow(tmp_path, lambda: [ONE], LogQuery())) as batches,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(write_slowly())
        assert await take(batches, count) == expected


async def test_a_line_that_is_still_being_written_waits_for_its_end(tmp_path: Path) -> None:
    writer = Writer(tmp_path, ONE)
    writer.write("whole")
    path = tmp_path / "dep_1" / "dep_1.1.log"
    async with aclosing(follow(tmp_path, lambda: [ONE], LogQuery())) as batches:
        assert await take(batches, 1) == ["whole"]
        with path.open("ab") as file:
            file.write(b"2026-04-24T10:01:00.123456Z o torn")
            file.flush()
            await asyncio.sleep(0.15)  # at least one look at the half line
            file.write(b" and mended\n")
        assert await take(batches, 1) == ["torn and mended"]


async def test_what_is_written_together_comes_together(tmp_path: Path) -> None:
    writer = Writer(tmp_path, ONE)
    writer.write("first")
    texts = [str(number) for number in range(5_000)]
    async with aclosing(follow(tmp_path, lambda: [ONE], LogQuery())) as batches:
        assert await take(batches, 1) == ["first"]
        writer.write(*texts)
        found: list[list[str]] = []
        async with asyncio.timeout(60):
            while sum(map(len, found)) < len(texts):
                found.append([line.message for line in await anext(batches)])
        assert list(chain(*found)) == texts
        assert len(found) <= 2  # it may be looked at while it is being written


async def test_a_file_that_comes_when_its_folder_has_been_listed_for_good_is_followed(
    tmp_path: Path,
) -> None:
    Writer(tmp_path, ONE).write("old")
    folder = tmp_path / "dep_1"
    os.utime(folder, (1, 1))
    async with aclosing(follow(tmp_path, lambda: [ONE], LogQuery())) as batches:
        assert await take(batches, 1) == ["old"]
        second = RotatingFile(folder / "dep_1.2.log", size_bytes=10**6)
        second.append([Line(stamp(), Stream.STDOUT, "from the next activation")])
        assert await take(batches, 1) == ["from the next activation"]


def test_a_folder_in_which_nothing_changes_is_listed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Writer(tmp_path, ONE).write("a")
    Writer(tmp_path, TWO).write("b")
    os.utime(tmp_path / "dep_1", (1, 1))
    listed: list[str] = []

    def listing(logs: Path, deployment_id: str, _: str | None) -> list[Path]:
        listed.append(deployment_id)
        return log_files(logs, deployment_id)

    monkeypatch.setattr("core.logs.follow.log_files", listing)
    follower = _Follower(tmp_path, LogQuery())
    follower.begin([ONE, TWO])
    follower._look([ONE, TWO])
    follower.close()
    # The second has changed so lately that it may change again without a trace.
    assert listed == ["dep_1", "dep_2", "dep_2"]


async def test_one_execution_alone_is_followed_to_its_end(tmp_path: Path) -> None:
    of_one = LogSource("dep_1", "web", "production", "exe_1")
    folder = tmp_path / "dep_1"
    mine, other = (RotatingFile(folder / f"{name}.log") for name in ("exe_1", "exe_2"))
    mine.append([Line(stamp(), Stream.STDOUT, "begun")])
    other.append([Line(stamp(), Stream.STDOUT, "not mine")])
    is_over = [False]
    found = follow(tmp_path, lambda: [of_one], LogQuery(), is_over=lambda: is_over[0])
    async with asyncio.timeout(60), aclosing(found) as batches:
        assert await take(batches, 1) == ["begun"]
        mine.append([Line(stamp(), Stream.STDOUT, f"last {n}") for n in range(3)])
        is_over[0] = True
        left = [line.message async for batch in batches for line in batch]
        assert left == ["last 0", "last 1", "last 2"]


async def test_files_that_are_deleted_are_let_go(tmp_path: Path) -> None:
    writer = Writer(tmp_path, ONE)
    writer.write("1")
    writer.close()
    follower = _Follower(tmp_path, LogQuery())
    assert len(follower.begin([ONE])) == 1
    (path,) = follower._tails
    assert _is_open(path)
    path.unlink()
    await follower.poll([ONE])
    assert follower._tails == {}
    assert not _is_open(path)
    follower.close()


def _is_open(path: Path) -> bool:
    """Whether this process has it open; of one that is deleted the system still says its name."""
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if str(path) in str(each.readlink()):
                return True
    return False
