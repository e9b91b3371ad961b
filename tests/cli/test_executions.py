"""Running jobs and crons by hand, against an agent that does on purpose what one does by chance."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from argparse import Namespace
from typing import TYPE_CHECKING, Any

import pytest

from core.cli.execution_text import execution_lines, last_words, schedule_words
from core.cli.executions import _cron_lines, _follow, execution_cancel, execution_list
from core.cli.output import Form, Output
from core.files import Home
from tests.cli.agent import constant, scripted_agent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from tests.cli.agent import ScriptedAgent

Json = dict[str, Any]
ID = "exe_a"


def execution(**fields: Any) -> Json:
    """One that has succeeded."""
    return {
        "id": ID,
        "deploymentId": "dep_a",
        "project": "shop",
        "environment": "production",
        "serviceName": "nightly",
        "trigger": "manual",
        "status": "succeeded",
        "dueAt": None,
        "startedAt": "2026-04-24T10:01:00.000000Z",
        "endedAt": "2026-04-24T10:01:03.200000Z",
        "exitCode": 0,
        "message": None,
        "missed": 0,
        **fields,
    }


RUNNING = execution(status="running", endedAt=None, exitCode=None)
FAILED = execution(status="failed", exitCode=3, message="exited with code 3")


def line(second: int, text: str, stream: str = "stdout") -> Json:
    return {"timestamp": f"2026-04-24T10:01:0{second}.000000Z", "stream": stream, "message": text}


def one_after_another(*answers: Any) -> Callable[[], Awaitable[Any]]:
    """Each of them once, the last for ever."""
    left = list(answers)

    async def give() -> Any:
        return left.pop(0) if len(left) > 1 else left[0]

    return give


@pytest.fixture
async def agent(home: Path) -> AsyncIterator[ScriptedAgent]:
    """An agent that runs a job, which succeeds and prints nothing."""
    async with scripted_agent(Home(home)) as found:
        found.answers["/v1/executions"] = constant(RUNNING)
        found.answers[f"/v1/executions/{ID}"] = constant(execution())
        found.answers["/v1/logs"] = constant(())
        yield found


async def test_its_lines_come_as_they_were_printed(
    agent: ScriptedAgent, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (line(1, "\x1b[31mone"), line(2, "oops", "stderr"), line(3, "two"))
    agent.answers["/v1/logs"] = constant(lines)
    assert await _follow({}, Output()) == 0
    said = capsys.readouterr()
    assert said.out == "one\ntwo\n"
    assert "exe_a: nightly runs\n" in said.err
    assert "\noops\n" in said.err
    assert said.err.endswith("exe_a: succeeded after 3.2s\n")


async def test_a_failure_is_the_exit_code(
    agent: ScriptedAgent, capsys: pytest.CaptureFixture[str]
) -> None:
    agent.answers[f"/v1/executions/{ID}"] = constant(FAILED)
    assert await _follow({}, Output()) == 1
    assert "error: exe_a: failed after 3.2s: exited with code 3" in capsys.readouterr().err


async def test_an_agent_that_goes_away_costs_no_line_and_doubles_none(
    agent: ScriptedAgent, capsys: pytest.CaptureFixture[str]
) -> None:
    agent.answers["/v1/logs"] = one_after_another(
        [line(1, "a"), line(2, "b"), line(2, "c")],  # it dies
        (line(2, "b"), line(2, "c"), line(2, "d")),  # it is stopped
        (line(2, "b"), line(2, "c"), line(2, "d"), line(3, "e")),
    )
    agent.answers[f"/v1/executions/{ID}"] = one_after_another(RUNNING, execution())
    assert await _follow({}, Output()) == 0
    said = capsys.readouterr()
    assert said.out.split() == ["a", "b", "c", "d", "e"]
    assert said.err.count("attaching again") == 2
    asked = [path for path in agent.asked if path.startswith("/v1/logs")]
    assert "since=2026-04-24T10%3A01%3A02" in asked[-1]


async def test_an_agent_that_goes_away_for_ever_is_an_error(agent: ScriptedAgent) -> None:
    agent.answers[f"/v1/executions/{ID}"] = constant(RUNNING)
    with pytest.raises(Exception, match="goes away again and again; exe_a may go on"):
        await _follow({}, Output())


async def test_interrupted_it_is_cancelled(
    agent: ScriptedAgent, capsys: pytest.CaptureFixture[str]
) -> None:
    cancelled = asyncio.Event()

    async def logs() -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        await cancelled.wait()
        return ()

    async def cancel() -> Any:
        cancelled.set()
        return {}

    agent.answers["/v1/logs"] = logs
    agent.answers[f"/v1/executions/{ID}/cancel"] = cancel
    ended = execution(status="cancelled", message="cancelled by hand", exitCode=None)
    agent.answers[f"/v1/executions/{ID}"] = constant(ended)
    assert await _follow({}, Output()) == 130
    assert "cancelling exe_a" in capsys.readouterr().err


async def test_a_terminal_that_is_gone_leaves_it_running(agent: ScriptedAgent) -> None:
    left = asyncio.Event()

    async def logs() -> Any:
        os.kill(os.getpid(), signal.SIGHUP)
        await left.wait()
        return ()

    agent.answers["/v1/logs"] = logs
    assert await _follow({}, Output()) == 129
    left.set()
    assert not [path for path in agent.asked if path.endswith("/cancel")]


async def test_for_programs(agent: ScriptedAgent, capsys: pytest.CaptureFixture[str]) -> None:
    agent.answers["/v1/logs"] = constant((line(1, "one"),))
    assert await _follow({}, Output(Form.JSON)) == 0
    assert json.loads(capsys.readouterr().out) == execution()
    assert await _follow({}, Output(Form.JSONL)) == 0
    told = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert told == [line(1, "one"), execution()]


HERE = Namespace(project="shop", env="production", service="nightly", limit=2)
LATEST = {
    "project": "shop",
    "environment": "production",
    "executions": [RUNNING, execution(id="exe_b", status="failed", message="\x1b[2Jboom\nmore")],
}


async def test_what_ran_is_listed(agent: ScriptedAgent, capsys: pytest.CaptureFixture[str]) -> None:
    agent.answers["/v1/executions"] = constant(LATEST)
    assert await asyncio.to_thread(execution_list, HERE, Output()) == 0
    assert capsys.readouterr().out.splitlines() == [
        "EXECUTION  SERVICE  TRIGGER  STATUS   STARTED               TOOK  MESSAGE",
        "exe_a      nightly  manual   running  2026-04-24T10:01:00Z  -",
        "exe_b      nightly  manual   failed   2026-04-24T10:01:00Z  3.2s  boom",
    ]
    asked = "/v1/executions?project=shop&environment=production&service=nightly&limit=2"
    assert agent.asked[-1] == asked
    assert await asyncio.to_thread(execution_list, HERE, Output(Form.JSON)) == 0
    assert json.loads(capsys.readouterr().out) == LATEST
    agent.answers["/v1/executions"] = constant({**LATEST, "executions": []})
    assert await asyncio.to_thread(execution_list, HERE, Output()) == 0
    assert capsys.readouterr().out == "nothing has run in shop/production\n"


@pytest.mark.parametrize(("status", "code"), [("cancelled", 0), ("succeeded", 1)])
async def test_one_that_runs_is_ended(
    agent: ScriptedAgent, capsys: pytest.CaptureFixture[str], status: str, code: int
) -> None:
    """Unless it has come to its end meanwhile."""
    ended = execution(status=status, message="by hand")
    agent.answers[f"/v1/executions/{ID}/cancel"] = constant(ended)
    assert await asyncio.to_thread(execution_cancel, Namespace(execution=ID), Output()) == code
    assert capsys.readouterr().out == f"exe_a: {status} after 3.2s: by hand\n"
    assert (
        await asyncio.to_thread(execution_cancel, Namespace(execution=ID), Output(Form.JSON))
        == code
    )
    assert json.loads(capsys.readouterr().out) == ended


def cron(**fields: Any) -> Json:
    schedule = {"cron": "0 3 * * *", "timeZone": "UTC", "overlap": "skip", "deadlineMs": 10_000}
    return {
        "serviceName": "nightly",
        "schedule": schedule,
        "nextAt": "2026-04-25T03:00:00.000000Z",
        "last": None,
        "running": 0,
        **fields,
    }


def test_crons_in_a_table() -> None:
    missed = execution(status="missed", missed=3, message="it was due 3 times")
    found = {
        "project": "shop",
        "environment": "production",
        "crons": [
            cron(),
            cron(serviceName="hourly", last=FAILED, running=1),
            cron(serviceName="lost", last=missed, nextAt=None),
        ],
    }
    assert _cron_lines(found, colour=False) == [
        "SERVICE  SCHEDULE   TIME ZONE  NEXT                  LAST                  STATUS  TOOK"
        "  RUNNING",
        "nightly  0 3 * * *  UTC        2026-04-25T03:00:00Z  -                     -       -   "
        "  0",
        "hourly   0 3 * * *  UTC        2026-04-25T03:00:00Z  2026-04-24T10:01:00Z  failed  3.2s"
        "  1",
        "lost     0 3 * * *  UTC        -                     2026-04-24T10:01:00Z  missed  -   "
        "  0",
    ]
    none = {**found, "crons": []}
    assert _cron_lines(none, colour=False) == ["no cron is active in shop/production"]


def test_words() -> None:
    assert last_words(RUNNING) == "running"
    hostile = execution(status="failed", message="could not be started: \x1b[2Jboom")
    assert last_words(hostile) == "failed after 3.2s: could not be started: boom"
    briefs = {"nightly": cron(last=execution()), "migrate": cron(nextAt=None)}
    assert execution_lines(briefs) == [
        "migrate: never ran",
        "nightly: succeeded after 3.2s, 2026-04-24T10:01:00Z; next 2026-04-25T03:00:00Z",
    ]
    told = schedule_words(cron()["schedule"])
    assert told == "0 3 * * * (UTC), overlap skip, deadline 10000 ms"
