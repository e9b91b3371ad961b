"""Following the streams: new lines as they are written, across rotation and across deployments."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import aiofiles

from core.lines import decode
from core.logs.files import log_files, parts_of
from core.logs.reader import End, LogLine, read

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from pathlib import Path

    from core.logs.reader import LogQuery, LogSource

_PAUSE_S = 0.1
_READ_BYTES = 1024 * 1024


class _Tail:
    """How far one log file has been read."""

    def __init__(self, file: Path, source: LogSource) -> None:
        self._file = file
        self._source = source
        self._inode: int | None = None
        self._at = 0

    def skip_to_end(self) -> End:
        """Goes on at what is written from now on; returns where that is."""
        found = self._file.stat()
        self._inode, self._at = found.st_ino, found.st_size
        return End(self._inode, self._at)

    async def new_lines(self, query: LogQuery) -> list[LogLine]:
        """What was written since the last call."""
        lines: list[LogLine] = []
        for part in self._unread_parts():
            lines += await self._read(part, query)
        return lines

    def _unread_parts(self) -> list[Path]:
        """The part that was read last, and all that were begun after it, oldest first."""
        unread = []
        for part in parts_of(self._file):
            try:
                inode = part.stat().st_ino
            except FileNotFoundError:
                break
            unread.append(part)
            if inode == self._inode:
                break
        return unread[::-1]

    async def _read(self, part: Path, query: LogQuery) -> list[LogLine]:
        lines: list[LogLine] = []
        async with aiofiles.open(part, "rb") as file:
            inode = os.fstat(file.fileno()).st_ino
            if inode != self._inode:
                self._inode, self._at = inode, 0
            await file.seek(self._at)
            while chunk := await file.read(_READ_BYTES):
                whole = chunk[: chunk.rfind(b"\n") + 1]
                if not whole:
                    break  # a line that is still being written
                self._at += len(whole)
                await file.seek(self._at)
                found = (decode(raw) for raw in whole.splitlines())
                lines += [
                    LogLine(line, self._source) for line in found if line and query.wants(line)
                ]
        return lines


async def follow(
    logs: Path, current_sources: Callable[[], Sequence[LogSource]], query: LogQuery
) -> AsyncGenerator[LogLine, None]:
    """The tail of what there is, then every new line, for as long as it is iterated.

    `current_sources` is asked again and again, so that a service is followed from one deployment to
    the next; of a deployment that comes later nothing is left out.
    """
    tails: dict[Path, _Tail] = {}
    sources = {source.deployment_id: source for source in current_sources()}
    ends = {file: tail.skip_to_end() for file, tail in _open_new(logs, sources, tails)}
    for line in await asyncio.to_thread(read, logs, tuple(sources.values()), query, ends):
        yield line
    while True:
        for source in current_sources():
            sources.setdefault(source.deployment_id, source)
        _open_new(logs, sources, tails)
        found = [line for tail in tails.values() for line in await tail.new_lines(query)]
        for line in sorted(found, key=lambda line: line.at):
            yield line
        await asyncio.sleep(_PAUSE_S)


def _open_new(
    logs: Path, sources: dict[str, LogSource], tails: dict[Path, _Tail]
) -> list[tuple[Path, _Tail]]:
    """Begins a tail for every file that has none yet; returns these."""
    new = [
        (file, _Tail(file, source))
        for source in sources.values()
        for file in log_files(logs, source.deployment_id)
        if file not in tails
    ]
    tails.update(new)
    return new
