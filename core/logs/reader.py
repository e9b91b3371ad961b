"""Reading the three streams: the newest lines of several deployments, merged by time."""

from __future__ import annotations

import heapq
import os
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO

from core.lines import Line, decode, stamp
from core.logs.files import log_files, parts_of
from core.model import Stream

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

_BLOCK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class LogSource:
    """A deployment whose lines are wanted."""

    deployment_id: str
    service_name: str
    environment_name: str


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which lines: of these streams, at most `tail`, since a moment, matching an expression."""

    streams: frozenset[Stream] = frozenset(Stream)
    tail: int | None = None
    since: datetime | None = None
    grep: re.Pattern[str] | None = None

    def wants(self, line: Line) -> bool:
        """Whether a line is one of them, the tail apart."""
        if line.stream not in self.streams:
            return False
        if self.since is not None and line.at < stamp(self.since):
            return False
        return self.grep is None or self.grep.search(line.text) is not None


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line with what it belongs to."""

    line: Line
    source: LogSource

    @property
    def at(self) -> str:
        """When it was written."""
        return self.line.at

    @property
    def stream(self) -> Stream:
        """The stream it was written to."""
        return self.line.stream

    @property
    def message(self) -> str:
        """Its text."""
        return self.line.text

    def as_json(self) -> dict[str, Any]:
        """The line under the documented keys (spec, 6)."""
        return {
            "timestamp": self.line.at,
            "stream": self.line.stream,
            "message": self.line.text,
            "deploymentId": self.source.deployment_id,
            "serviceName": self.source.service_name,
            "environmentName": self.source.environment_name,
        }


@dataclass(frozen=True, slots=True)
class End:
    """How far a log file went at some moment; what was written later is not to be read."""

    inode: int
    size_bytes: int


def read(
    logs: Path,
    sources: Sequence[LogSource],
    query: LogQuery,
    ends: Mapping[Path, End] | None = None,
) -> list[LogLine]:
    """The lines that a query wants, oldest first; only as much of the files is read as it takes.

    With `ends`, nothing is read that came later: neither beyond them nor of other files.
    """
    newest_first = [
        _wanted(file, source, query, ends[file] if ends is not None else None)
        for source in sources
        for file in log_files(logs, source.deployment_id)
        if ends is None or file in ends
    ]
    merged = heapq.merge(*newest_first, key=lambda line: line.at, reverse=True)
    return list(islice(merged, query.tail))[::-1]


def _wanted(file: Path, source: LogSource, query: LogQuery, end: End | None) -> Iterator[LogLine]:
    since = stamp(query.since) if query.since is not None else ""
    for raw in _newest_first(file, end):
        line = decode(raw)
        if line is None:
            continue
        if line.at < since:
            return
        if query.wants(line):
            yield LogLine(line, source)


def _newest_first(file: Path, end: End | None) -> Iterator[bytes]:
    is_before_end = end is None
    for part in parts_of(file):
        try:
            opened = part.open("rb")
        except FileNotFoundError:
            return  # rotated away while we read
        with opened:
            inode = os.fstat(opened.fileno()).st_ino
            if end is not None and inode == end.inode:
                is_before_end = True
                yield from _backwards(opened, end.size_bytes)
            elif is_before_end:
                yield from _backwards(opened, opened.seek(0, os.SEEK_END))


def _backwards(file: BinaryIO, at: int) -> Iterator[bytes]:
    """The lines of a file before a position, the last one first, a block at a time."""
    rest = b""
    while at > 0:
        size = min(_BLOCK_BYTES, at)
        at = file.seek(at - size)
        rest, *lines = (file.read(size) + rest).split(b"\n")
        yield from (line for line in reversed(lines) if line)
    if rest:
        yield rest
