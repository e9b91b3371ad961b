"""Following a run, against an agent that does on purpose what a real one does by chance."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from core.cli.output import Form, Output
from core.cli.runs import _follow
from core.errors import AgentUnavailable
from core.files import Home
from tests.cli.agent import RUN, constant, event, result, run, scripted_agent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.cli.agent import ScriptedAgent

FINISHED = event(9, "RunFinished")


@pytest.fixture
async def agent(home: Path) -> AsyncIterator[ScriptedAgent]:
    """An agent that takes a run, which succeeds."""
    async with scripted_agent(Home(home)) as found:
        found.answers["/v1/runs"] = constant(run(status="queued"))
        found.answers[f"/v1/runs/{RUN}"] = constant(result())
        found.answers["/v1/events"] = constant([FINISHED])
        yield found


async def test_progress_is_one_line_a_change(
    agent: ScriptedAgent, capsys: pytest.CaptureFixture[str]
) -> None:
    stage: dict[str, Any] = {"serviceName": "web", "status": "running"}
    agent.answers["/v1/events"] = constant(
        [
            event(1, "RunQueued", message="deploy queued, waits: deploy drn_b is ahead"),
            event(2, "StageChanged", **stage, promotionStage="building"),
            event(3, "BuildFinished", serviceName="web"),
            event(4, "DeploymentFailed", serviceName="web", message="failed: a\x1b[2Jb\nlines:"),
            FINISHED,
        ]
    )  # fmt: skip
    assert await _follow({}, Output()) == 0
    said = capsys.readouterr()
    assert said.out == "nothing changed: every service is up to date\n"
    assert said.err.splitlines() == [
        "drn_a: deploy of shop/production",
        "    0ms  run  deploy queued, waits: deploy drn_b is ahead",
        "   1.0s  web  building",
        "   3.0s  web  failed: ab",
    ]


async def test_events_come_as_lines(
    agent: ScriptedAgent, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await _follow({}, Output(Form.JSONL)) == 0
    assert json.loads(capsys.readouterr().out) == FINISHED


async def test_a_lost_stream_is_read_on_where_it_stopped(agent: ScriptedAgent) -> None:
    streams = [[event(1, "RunQueued")], [], [event(5, "RunStarted")], [FINISHED]]

    async def next_stream() -> Any:
        return streams.pop(0)

    agent.answers["/v1/events"] = next_stream
    assert await _follow({}, Output()) == 0
    after = [path for path in agent.asked if path.startswith("/v1/events")]
    assert [path.partition("after=")[2] for path in after] == [
        f"{seq}&run=drn_a" for seq in (0, 1, 1, 5)
    ]


async def test_an_agent_that_is_lost_again_and_again_is_given_up(agent: ScriptedAgent) -> None:
    agent.answers["/v1/events"] = constant([])
    with pytest.raises(AgentUnavailable, match="again and again"):
        await _follow({}, Output())


async def test_an_agent_that_stops_after_the_last_event_is_asked_again(
    agent: ScriptedAgent,
) -> None:
    answers = [result(), [], result()]  # the second time the connection is lost

    async def run_result() -> Any:
        return answers.pop(0)

    agent.answers[f"/v1/runs/{RUN}"] = run_result
    assert await _follow({}, Output()) == 0
    assert answers == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_during_the_submit_cancels_the_run_that_comes_of_it(
    agent: ScriptedAgent, number: signal.Signals
) -> None:
    submitted, may_answer, cancelled = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def submit() -> Any:
        submitted.set()
        await may_answer.wait()
        return run(status="queued")

    async def cancel() -> Any:
        cancelled.set()
        return run(status="failed", failureCode="cancelled")

    async def events() -> Any:
        await cancelled.wait()
        return [FINISHED]

    agent.answers["/v1/runs"] = submit
    agent.answers[f"/v1/runs/{RUN}/cancel"] = cancel
    agent.answers["/v1/events"] = events
    agent.answers[f"/v1/runs/{RUN}"] = constant(result(status="failed", failureCode="cancelled"))
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        following = tasks.create_task(_follow({}, Output()))
        await submitted.wait()
        os.kill(os.getpid(), number)
        # The loop sees the signal in a turn of its own; the run is not there to be cancelled yet.
        await asyncio.sleep(0)
        assert not cancelled.is_set()
        may_answer.set()
    assert following.result() == 128 + number


async def test_a_signal_while_the_agent_is_looked_for_begins_nothing(
    agent: ScriptedAgent, capsys: pytest.CaptureFixture[str]
) -> None:
    asked, may_answer = asyncio.Event(), asyncio.Event()
    about = await agent.answers["/v1/agent"]()

    async def agent_says() -> Any:
        asked.set()
        await may_answer.wait()
        return about

    agent.answers["/v1/agent"] = agent_says
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        following = tasks.create_task(_follow({}, Output(Form.JSON)))
        await asked.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        may_answer.set()
    assert following.result() == 143
    assert "/v1/runs" not in agent.asked
    assert json.loads(capsys.readouterr().out)["failureMessage"]


async def test_a_run_that_ended_before_the_cancel_has_its_own_end(agent: ScriptedAgent) -> None:
    over = asyncio.Event()

    async def events() -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        await over.wait()
        return [FINISHED]

    async def cancel() -> Any:
        over.set()
        return run()

    agent.answers["/v1/events"] = events
    agent.answers[f"/v1/runs/{RUN}/cancel"] = cancel
    async with asyncio.timeout(60):
        assert await _follow({}, Output()) == 0


async def test_signals_are_ours_only_while_a_run_is_followed(agent: ScriptedAgent) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGHUP)]
    await _follow({}, Output())
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGHUP)] == before


async def test_an_ignored_signal_stays_ignored(agent: ScriptedAgent) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        agent.answers["/v1/events"] = _hang_up
        assert await _follow({}, Output()) == 0
    finally:
        signal.signal(signal.SIGHUP, before)


async def _hang_up() -> Any:
    os.kill(os.getpid(), signal.SIGHUP)
    return [FINISHED]
