"""Jobs and crons in words: how the last execution ended, and when the next one is due."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from core.cli.text import duration
from core.model import ExecutionStatus
from tui.view import words

if TYPE_CHECKING:
    from datetime import datetime

    from tui.view.execution import Execution, Executions

_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)


def took(execution: Execution) -> str:
    """How long it ran: `3.2s`; nothing for what did not run or is not over."""
    if execution.ended_at is None or execution.status in _NOT_RUN:
        return ""
    return duration(words.seconds(execution.started_at, execution.ended_at))


_NOT_RUN = frozenset({ExecutionStatus.SKIPPED, ExecutionStatus.MISSED})


def short(found: Executions, now: datetime) -> str:
    """For a row, in at most 17 cells: `running 4s`, `next 03:00 in 4h`, `failed: exit 3`."""
    last = found.last
    if found.running_one is not None:
        return f"running {running_for(found.running_one, now)}"
    if found.next_at is not None:
        return next_due(found.next_at, now)
    if last is None:
        return "not run yet"
    if last.status is ExecutionStatus.FAILED and last.exit_code is not None:
        return f"failed: exit {last.exit_code}"
    return f"ran {words.ago(last.ended_at or last.started_at, now)}"


def running_for(execution: Execution, now: datetime) -> str:
    """How long it has been running."""
    return words.counting(words.seconds(execution.started_at, now))


def next_due(at: datetime, now: datetime) -> str:
    """`next 03:00 in 4h` by the clock of this machine; later with its day: `next Mon 03:00`."""
    left = at - now
    local = at.astimezone()
    if left >= _WEEK:
        return f"next {local.day} {local:%b %H:%M}"
    if left >= _DAY:
        return f"next {local:%a %H:%M}"
    return f"next {local:%H:%M} in {_roughly(left)}"


def _roughly(left: timedelta) -> str:
    """The largest unit only, in three cells: the clock beside it says the rest."""
    seconds = max(int(left.total_seconds()), 0)
    return next(
        (f"{seconds // size}{unit}" for unit, size in (("h", 3600), ("m", 60)) if seconds >= size),
        f"{seconds}s",
    )


def whole(execution: Execution, now: datetime) -> str:
    """`succeeded 12s ago, took 3.2s`; `failed 5m ago, took 1.0s: exited with code 3`."""
    why = trouble(execution)
    return f"{outcome(execution, now)}: {why}" if why else outcome(execution, now)


def outcome(execution: Execution, now: datetime) -> str:
    """How it ended, when, and how long it took."""
    if execution.is_running:
        return f"running for {running_for(execution, now)}"
    when = execution.ended_at or execution.started_at
    times = f" {words.counted(execution.missed, 'time')}," if execution.missed > 1 else ""
    told = f"{execution.status}{times} {words.ago(when, now)}".rstrip(" ,")
    length = took(execution)
    return f"{told}, took {length}" if length else told


def trouble(execution: Execution) -> str:
    """Why it did not succeed, or did not run; nothing where all is well."""
    is_clear = execution.status in (ExecutionStatus.SUCCEEDED, ExecutionStatus.RUNNING)
    return "" if is_clear else words.reason(execution.message)
