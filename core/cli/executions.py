"""Commands for jobs and crons: run one now, list what ran and what is due, end what runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from core.agent.client import Client
from core.cli.execution_follow import ExecutionFollower
from core.cli.execution_text import last_words, took_s
from core.cli.exits import Exit
from core.cli.signals import Signals
from core.cli.target import ask, service_query, target_of
from core.cli.text import NONE, columns, duration, first_line, moment
from core.model import ExecutionStatus
from core.remote.where import agent_door

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from core.cli.output import Output

Json = dict[str, Any]

_CRONS = ("SERVICE", "SCHEDULE", "TIME ZONE", "NEXT", "LAST", "STATUS", "TOOK", "RUNNING")
_EXECUTIONS = ("EXECUTION", "SERVICE", "TRIGGER", "STATUS", "STARTED", "TOOK", "MESSAGE")


def run(arguments: Namespace, output: Output) -> int:
    """Runs a job or a cron now, and waits for its end."""
    body = {**target_of(arguments), "service": arguments.service}
    if not arguments.detach:
        return asyncio.run(_follow(body, output))
    begun = ask(lambda client: client.execute(body))
    output.answer(begun, lambda: [begun["id"]])
    output.event(begun)
    return Exit.DONE


async def _follow(body: Json, output: Output) -> int:
    signals = Signals()
    follower = ExecutionFollower(output, signals)
    signals.leaving = lambda: output.failure("left at the second signal: it goes on, or is ending")
    with signals.caught():
        async with Client.connected(agent_door()) as client:
            begun = await client.execute(body)
            output.progress(f"{begun['id']}: {begun['serviceName']} runs")
            ended = await follower.follow(client, begun)
    if ended is None:
        output.failure(f"detached: {begun['id']} goes on in the agent")
        output.answer(begun, list)
        return signals.exit_code
    output.event(ended)
    output.answer(ended, list)
    return _told(ended, signals, output)


def _told(ended: Json, signals: Signals, output: Output) -> int:
    """Says how it ended; returns the exit code."""
    if ended["status"] == ExecutionStatus.SUCCEEDED:
        output.progress(f"{ended['id']}: {last_words(ended)}")
        return Exit.DONE
    output.failure(f"{ended['id']}: {last_words(ended)}")
    is_ours = signals.first is not None and ended["status"] == ExecutionStatus.CANCELLED
    return signals.exit_code if is_ours else Exit.FAILED


def cron_list(arguments: Namespace, output: Output) -> int:
    """Every active cron: when it runs, what it did last, when it is due."""
    query = target_of(arguments)
    found = ask(lambda client: client.crons(query))
    output.answer(found, lambda: _cron_lines(found, colour=output.has_colour))
    return Exit.DONE


def _cron_lines(found: Json, *, colour: bool) -> Sequence[str]:
    if not found["crons"]:
        return [f"no cron is active in {found['project']}/{found['environment']}"]
    return columns([_CRONS, *map(_cron_row, found["crons"])], colour=colour)


def _cron_row(cron: Json) -> tuple[str, ...]:
    schedule, last = cron["schedule"], cron["last"]
    return (
        cron["serviceName"],
        schedule["cron"],
        schedule["timeZone"],
        moment(cron["nextAt"]),
        moment(last["startedAt"]) if last else NONE,
        last["status"] if last else NONE,
        _took(last) if last else NONE,
        str(cron["running"]),
    )


def execution_list(arguments: Namespace, output: Output) -> int:
    """The newest executions of jobs and crons, newest first."""
    query = {**service_query(arguments), "limit": arguments.limit}
    found = ask(lambda client: client.executions(query))
    output.answer(found, lambda: _execution_lines(found, colour=output.has_colour))
    return Exit.DONE


def _execution_lines(found: Json, *, colour: bool) -> Sequence[str]:
    if not found["executions"]:
        return [f"nothing has run in {found['project']}/{found['environment']}"]
    return columns([_EXECUTIONS, *map(_execution_row, found["executions"])], colour=colour)


def _execution_row(execution: Json) -> tuple[str, ...]:
    return (
        execution["id"],
        execution["serviceName"],
        execution["trigger"],
        execution["status"],
        moment(execution["startedAt"]),
        _took(execution),
        first_line(execution["message"]),
    )


def _took(execution: Json) -> str:
    seconds = took_s(execution)
    return duration(seconds) if seconds is not None else NONE


def execution_cancel(arguments: Namespace, output: Output) -> int:
    """Ends an execution that runs; it has ended then."""
    ended = ask(lambda client: client.cancel_execution(arguments.execution))
    output.answer(ended, lambda: [f"{ended['id']}: {last_words(ended)}"])
    return Exit.DONE if ended["status"] == ExecutionStatus.CANCELLED else Exit.FAILED
