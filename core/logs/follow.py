"""Log lines as they are written, across rotation and across deployments."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from core.lines import decode
from core.logs.files import log_files
from core.logs.reader import LogLine, newest
from core.logs.tail import Tail

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from pathlib import Path

    from core.logs.reader import LogQuery, LogSource

_PAUSE_S = 0.1
_SLACK = timedelta(seconds=1)
"""How much earlier than its file a line may have been stamped."""


async def follow(
    logs: Path, current_sources: Callable[[], Sequence[LogSource]], query: LogQuery
) -> AsyncGenerator[LogLine, None]:
    """The tail of what there is, then every new line, for as long as it is iterated.

    `current_sources` is asked again and again, so that a service is followed from one deployment to
    the next. Of one that comes later, all that was written since the beginning is told.
    """
    follower = _Follower(logs, query)
    try:
        lines = await asyncio.to_thread(follower.begin, tuple(current_sources()))
        while True:
            for line in lines:
                yield line
            if not follower.is_behind:
                await asyncio.sleep(_PAUSE_S)
            lines = await follower.poll(tuple(current_sources()))
    finally:
        follower.close()


class _Follower:
    """What one `follow` knows between two looks at the files."""

    def __init__(self, logs: Path, query: LogQuery) -> None:
        self.is_behind = False
        """Whether there was more to read than one look takes."""
        self._logs = logs
        self._query = query
        self._tails: dict[Path, tuple[Tail, LogSource]] = {}
        self._is_closed = False
        began = datetime.now(UTC) - _SLACK
        since = max(query.since or began, began)
        self._query_of_latecomers = replace(query, tail=None, since=since)

    def begin(self, sources: Sequence[LogSource]) -> list[LogLine]:
        """The tail of what there is."""
        return self._open_new(sources, self._query)

    async def poll(self, sources: Sequence[LogSource]) -> list[LogLine]:
        """What has been written since the last look, in the order of time."""
        lines, grown = await asyncio.to_thread(self._look, sources)
        self.is_behind = False
        for tail, source in grown:
            raw_lines, is_behind = await tail.read()
            self.is_behind |= is_behind
            found = (decode(raw) for raw in raw_lines)
            lines += [LogLine(line, source) for line in found if line and self._query.wants(line)]
        return sorted(lines, key=lambda line: line.at)

    def close(self) -> None:
        """Closes all files."""
        self._is_closed = True
        for tail, _ in tuple(self._tails.values()):
            tail.close()

    def _look(
        self, sources: Sequence[LogSource]
    ) -> tuple[list[LogLine], list[tuple[Tail, LogSource]]]:
        """The lines of files that are new, and the tails of others that have something to read."""
        wanted = {source.deployment_id for source in sources}
        grown = [
            (tail, source)
            for tail, source in self._tails.values()
            if tail.has_news(is_wanted=source.deployment_id in wanted)
        ]
        lines = self._open_new(sources, self._query_of_latecomers)
        self._close_if_late()
        return lines, grown

    def _open_new(self, sources: Sequence[LogSource], query: LogQuery) -> list[LogLine]:
        new = {
            file: (Tail(file), source)
            for source in sources
            for file in log_files(self._logs, source.deployment_id)
            if file not in self._tails
        }
        opened = [(tail.begin(), source) for tail, source in new.values()]
        self._tails |= new
        try:
            return newest(opened, query)
        finally:
            for parts, _ in opened:
                for part in parts[1:]:
                    part.file.close()
            self._close_if_late()

    def _close_if_late(self) -> None:
        """A cancelled `follow` does not wait for the thread it has sent to look."""
        if self._is_closed:
            self.close()
