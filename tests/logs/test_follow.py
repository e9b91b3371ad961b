from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from core.lines import Line, RotatingFile, stamp
from core.logs.follow import follow
from core.logs.reader import LogQuery, LogSource
from core.model import Stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.logs.reader import LogLine

ONE = LogSource("dep_1", "web", "production")
TWO = LogSource("dep_2", "web", "production")


class Writer:
    """Writes numbered lines, as an instance would."""

    def __init__(self, logs: Path, source: LogSource, size_bytes: int = 10**6) -> None:
        name = f"{source.deployment_id}.1.log"
        self._file = RotatingFile(logs / source.deployment_id / name, size_bytes=size_bytes)

    def write(self, *texts: str) -> None:
        self._file.append([Line(stamp(), Stream.STDOUT, text) for text in texts])


async def take(lines: AsyncIterator[LogLine], count: int) -> list[str]:
    async with asyncio.timeout(10):
        return [(await anext(lines)).message for _ in range(count)]


async def test_the_tail_and_then_what_is_new(tmp_path: Path) -> None:
    writer = Writer(tmp_path, ONE)
    writer.write("1", "2", "3")
    async with aclosing(follow(tmp_path, lambda: [ONE], LogQuery(tail=2))) as lines:
        assert await take(lines, 2) == ["2", "3"]
        writer.write("4")
        assert await take(lines, 1) == ["4"]
        writer.write("5", "6")
        assert await take(lines, 2) == ["5", "6"]


async def test_a_service_is_followed_to_its_next_deployment(tmp_path: Path) -> None:
    sources = [ONE]
    Writer(tmp_path, ONE).write("old")
    async with aclosing(follow(tmp_path, lambda: sources, LogQuery())) as lines:
        assert await take(lines, 1) == ["old"]
        Writer(tmp_path, TWO).write("new from its first line")
        sources[:] = [TWO]
        assert await take(lines, 1) == ["new from its first line"]


async def test_nothing_is_lost_or_doubled_over_rotations(tmp_path: Path) -> None:
    count = 600
    writer = Writer(tmp_path, ONE, size_bytes=8000)
    expected = [str(number) for number in range(count)]

    async def write_slowly() -> None:
        for number in expected:
            writer.write(number)
            await asyncio.sleep(0.001)

    async with (
        aclosing(follow(tmp_path, lambda: [ONE], LogQuery())) as lines,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(write_slowly())
        assert await take(lines, count) == expected


async def test_a_line_that_is_still_being_written_waits_for_its_end(tmp_path: Path) -> None:
    writer = Writer(tmp_path, ONE)
    writer.write("whole")
    path = tmp_path / "dep_1" / "dep_1.1.log"
    async with aclosing(follow(tmp_path, lambda: [ONE], LogQuery())) as lines:
        assert await take(lines, 1) == ["whole"]
        with path.open("ab") as file:
            file.write(b"2026-04-24T10:01:00.123456Z o torn")
            file.flush()
            await asyncio.sleep(0.15)  # at least one look at the half line
            file.write(b" and mended\n")
        assert await take(lines, 1) == ["torn and mended"]
