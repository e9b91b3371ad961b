"""Reading the three streams: the newest lines of several deployments, merged by time."""

from __future__ import annotations

import heapq
import os
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from core.lines import Line, decode, stamp
from core.logs.files import log_files, open_parts
from core.model import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from core.logs.expression import Expression
    from core.logs.files import Part

_BLOCK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class LogSource:
    """A deployment whose lines are wanted, or one execution of it."""

    deployment_id: str
    service_name: str
    environment_name: str
    execution_id: str | None = None


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which lines: of these streams, at most `tail`, since a moment, matching an expression."""

    streams: frozenset[Stream] = frozenset(Stream)
    tail: int | None = None
    since: datetime | None = None
    grep: Expression | None = None

    def may_want(self, lines: bytes) -> bool:
        """Whether there may be one of them among whole lines of a file."""
        return self.grep is None or self.grep.may_be_in(lines)

    def wants(self, line: Line) -> bool:
        """Whether a line is one of them, the tail and the moment apart."""
        if line.stream not in self.streams:
            return False
        return self.grep is None or self.grep.finds(line.text)


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


def read(logs: Path, sources: Sequence[LogSource], query: LogQuery) -> list[LogLine]:
    """The lines that a query wants, oldest first; only as much of the files is read as it takes."""
    with ExitStack() as opened:
        found = [
            (open_parts(file), source)
            for source in sources
            for file in log_files(logs, source.deployment_id, source.execution_id)
        ]
        for parts, _ in found:
            for part in parts:
                opened.enter_context(part.file)
        return newest(found, query)


def newest(opened: Sequence[tuple[Sequence[Part], LogSource]], query: LogQuery) -> list[LogLine]:
    """The same, from files that are open: what they held when they were opened, and no more."""
    newest_first = [_wanted(parts, source, query) for parts, source in opened]
    merged = heapq.merge(*newest_first, key=lambda line: line.at, reverse=True)
    return list(islice(merged, query.tail))[::-1]


def _wanted(parts: Sequence[Part], source: LogSource, query: LogQuery) -> Iterator[LogLine]:
    since = stamp(query.since) if query.since is not None else ""
    for part in parts:
        for block in _backwards(part):
            lines = block.split(b"\n")
            # Of lines among which there is none the first tells whether to go on before them.
            for raw in reversed(lines) if query.may_want(block) else lines[:1]:
                line = decode(raw)
                if line is None:
                    continue
                if line.at < since:
                    return
                if query.wants(line):
                    yield LogLine(line, source)


def _backwards(part: Part) -> Iterator[bytes]:
    """The lines of a part, the last ones first, as many at a time as are read together."""
    at = part.end
    rest = b""
    while at > 0:
        size = min(_BLOCK_BYTES, at)
        at -= size
        rest, newline, lines = (os.pread(part.file.fileno(), size, at) + rest).partition(b"\n")
        if newline:
            yield lines
    if rest:
        yield rest
