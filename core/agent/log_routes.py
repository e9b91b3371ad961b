"""The log streams over HTTP: lines as they were kept, or as they come."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

from fastapi import FastAPI, Query
from pydantic import AfterValidator

from core.agent.lines import Lines
from core.errors import UsageError
from core.logs.expression import BadExpression, Expression
from core.logs.follow import follow
from core.logs.reader import LogLine, LogQuery, read
from core.logs.wire import chunks
from core.model import DEFAULT_ENVIRONMENT, Stream
from core.records import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from core.platform import Platform

_MOST_LINES = 1_000_000


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a time that can be told in UTC") from None


def add_logs(app: FastAPI, platform: Platform) -> None:
    """Adds `/v1/logs`: of what is active, of a service, of one deployment, or of one execution.

    That of an execution ends with it when it is followed.
    Followed with `past` and `since`, after a loss: what has ended meanwhile is told as well.
    """

    @app.get("/v1/logs", response_class=Lines)
    async def logs(
        project: str,
        environment: str = DEFAULT_ENVIRONMENT,
        service: str | None = None,
        deployment: str | None = None,
        execution: str | None = None,
        stream: Annotated[list[Stream] | None, Query()] = None,
        tail: Annotated[int, Query(ge=0, le=_MOST_LINES)] = 100,
        since: Annotated[datetime, AfterValidator(_in_utc)] | None = None,
        grep: str | None = None,
        *,
        following: bool = False,
        past: bool = False,
    ) -> Lines:
        target = Target(project, environment)
        query = LogQuery(
            streams=frozenset(stream or Stream), tail=tail, since=since, grep=_expression(grep)
        )
        if execution is not None:
            sources = [await platform.snapshots.timetable.log_source(execution)]
        else:
            sources = await platform.snapshots.log_sources(target, service, deployment)
        home = platform.parts.home.logs
        if following:
            if execution:
                is_over = partial(platform.snapshots.timetable.is_over, execution)
                found = follow(home, lambda: sources, query, is_over=is_over)
            elif deployment:
                found = follow(home, lambda: sources, query)
            else:
                now = lambda: platform.snapshots.current_log_sources(target, service)  # noqa: E731
                ended = await platform.snapshots.past_log_sources(target, service) if past else ()
                found = follow(home, now, query, ended)
            return Lines(_each(found))
        lines = await asyncio.to_thread(read, home, sources, query)
        return Lines(_all(lines))


def _expression(grep: str | None) -> Expression | None:
    try:
        return Expression(grep) if grep is not None else None
    except BadExpression as error:
        raise UsageError(f"--grep: {error.message}", hint=error.hint) from error


async def _each(batches: AsyncIterator[Sequence[LogLine]]) -> AsyncIterator[str]:
    async for lines in batches:
        for chunk in chunks(lines):
            yield chunk


async def _all(lines: Sequence[LogLine]) -> AsyncIterator[str]:
    for chunk in chunks(lines):
        yield chunk
