"""Executions in words."""

from __future__ import annotations

from typing import Any

from core.cli.text import duration, moment, plain, seconds_between
from core.model import ExecutionStatus

Json = dict[str, Any]


def last_words(execution: Json) -> str:
    """How an execution is or ended, in a line: `failed after 1.2s: exited with code 3`."""
    took = took_s(execution)
    after = f" after {duration(took)}" if took is not None else ""
    why = f": {plain(execution['message'])}" if execution["message"] else ""
    return f"{execution['status']}{after}{why}"


def took_s(execution: Json) -> float | None:
    """How long it ran; None where it still does, or never did."""
    if execution["status"] in (ExecutionStatus.SKIPPED, ExecutionStatus.MISSED):
        return None
    ended = execution["endedAt"]
    return seconds_between(execution["startedAt"], ended) if ended else None


def execution_lines(briefs: Json) -> list[str]:
    """A line for each job and cron: `nightly: succeeded after 3.2s, 2026-…; next 2026-…`."""
    return [f"{name}: {_brief(each)}" for name, each in sorted(briefs.items())]


def _brief(brief: Json) -> str:
    last = brief["last"]
    words = "never ran" if last is None else f"{last_words(last)}, {moment(last['startedAt'])}"
    if brief["nextAt"]:
        words += f"; next {moment(brief['nextAt'])}"
    return words


def schedule_words(schedule: Json) -> str:
    """A schedule as it was written: `0 3 * * * (UTC), overlap skip, deadline 10000 ms`."""
    when = f"{schedule['cron']} ({schedule['timeZone']})"
    return f"{when}, overlap {schedule['overlap']}, deadline {schedule['deadlineMs']} ms"
