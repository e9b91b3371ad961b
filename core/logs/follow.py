"""Log lines as they are written, across rotation and across deployments."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING

from core.lines import decode, stamp
from core.logs.files import log_files
from core.logs.reader import LogLine, newest
from core.logs.tail import Tail

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from pathlib import Path

    from core.lines import Line
    from core.logs.reader import LogQuery, LogSource

_PAUSE_S = 0.1
_SLACK = timedelta(seconds=1)
"""How much earlier than its file a line may have been stamped."""

_SETTLED_NS = 1_000_000_000
"""From this age on the time of a folder tells whether files have come: clocks tick coarsely."""


async def follow(
    logs: Path,
    current_sources: Callable[[], Sequence[LogSource]],
    query: LogQuery,
    past: Sequence[LogSource] = (),
    *,
    is_over: Callable[[], bool] = lambda: False,
) -> AsyncGenerator[list[LogLine], None]:
    """The tail of what there is, then every new line, for as long as it is iterated.

    Lines come together as they were found, in the order of time and never none.
    `current_sources` is asked again and again, so that a service is followed from one deployment to
    the next. Of one that comes later, all that was written since the beginning is told. `past` are
    deployments that may have ended before the beginning, and are wanted all the same. It ends when
    nothing more can come, which `is_over` tells, and everything is told.
    """
    follower = _Follower(logs, query)
    try:
        sources = tuple(dict.fromkeys([*current_sources(), *past]))
        lines = await asyncio.to_thread(follower.begin, sources)
        while True:
            if lines:
                yield lines
            was_over = is_over()
            if not (follower.is_behind or was_over):
                await asyncio.sleep(_PAUSE_S)
            lines = await follower.poll(tuple(current_sources()))
            if was_over and not lines and not follower.is_behind:
                return
    finally:
        follower.close()


class _Follower:
    """What one `follow` knows between two looks at the files."""

    def __init__(self, logs: Path, query: LogQuery) -> None:
        self.is_behind = False
        """Whether there was more to read than one look takes."""
        self._logs = logs
        self._query = query
        self._since = stamp(query.since) if query.since else ""
        self._tails: dict[Path, tuple[Tail, LogSource]] = {}
        self._settled: dict[str, int] = {}
        """Deployments whose files are all known, with the times of their folders."""
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
            lines += [LogLine(line, source) for line in found if line and self._wants(line)]
        return sorted(lines, key=attrgetter("line.at"))

    def _wants(self, line: Line) -> bool:
        return line.at >= self._since and self._query.wants(line)

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
        for path in [path for path, (tail, _) in self._tails.items() if tail.is_deleted]:
            del self._tails[path]
        lines = self._open_new(sources, self._query_of_latecomers)
        self._close_if_late()
        return lines, grown

    def _open_new(self, sources: Sequence[LogSource], query: LogQuery) -> list[LogLine]:
        new = {
            file: (Tail(file), source)
            for source in sources
            for file in self._files(source)
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

    def _files(self, source: LogSource) -> Sequence[Path]:
        """The files of a deployment; none where those that are known are all of them.

        To list the folders of many services ten times a second would be most of the work.
        """
        try:
            changed = (self._logs / source.deployment_id).stat().st_mtime_ns
        except FileNotFoundError:
            return ()
        if self._settled.get(source.deployment_id) == changed:
            return ()
        if time.time_ns() - changed > _SETTLED_NS:
            self._settled[source.deployment_id] = changed
        return log_files(self._logs, source.deployment_id, source.execution_id)

    def _close_if_late(self) -> None:
        """A cancelled `follow` does not wait for the thread it has sent to look."""
        if self._is_closed:
            self.close()
