"""Jobs and crons in words and lines."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from core.model import ExecutionStatus
from tests.tui import samples
from tests.tui.samples import NOW, execution
from tests.tui.screens import replies
from tests.tui.screens.replies import HOSTILE
from tui.view.execution import Execution, Executions
from tui.view.execution_rows import past, schedule
from tui.view.execution_words import next_due, short, whole
from tui.view.glyphs import ASCII
from tui.view.looks import health_look, stage_look
from tui.view.pieces import plain
from tui.view.why import why

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.view.state import Service

S = ExecutionStatus


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Executions(), "not run yet"),
        (Executions(execution(S.SUCCEEDED)), "ran 12s ago"),
        (Executions(execution(S.CANCELLED)), "ran 12s ago"),
        (Executions(execution(S.FAILED, exit_code=137)), "failed: exit 137"),
        (Executions(execution(S.FAILED)), "ran 12s ago"),
        (Executions(execution(S.RUNNING, 0.8), 1), "running 4s"),
        (Executions(execution(S.RUNNING, 0.8), 1, NOW), "running 4s"),
    ],
)
def test_the_present_of_a_job_in_few_words(found: Executions, words: str) -> None:
    assert short(found, NOW) == words


@pytest.mark.parametrize("ahead_s", [-5, 0, 59, 60, 3599, 3600, 86_399, 86_400, 7e5, 4e7])
def test_when_a_cron_is_due_fits_into_its_column(ahead_s: float) -> None:
    assert len(next_due(NOW + timedelta(seconds=ahead_s), NOW)) <= 17


def test_when_a_cron_is_due_has_its_day_when_that_is_another() -> None:
    assert next_due(NOW + timedelta(hours=4), NOW).endswith(" in 4h")
    assert "Mon" in next_due(NOW + timedelta(days=2), NOW)
    assert "Dec" in next_due(NOW + timedelta(days=20), NOW)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (execution(S.SUCCEEDED), "succeeded 12s ago, took 3.2s"),
        (
            execution(S.FAILED, message="exited with code 3\nmore"),
            "failed 12s ago, took 3.2s: exited with code 3",
        ),
        (execution(S.RUNNING, 0.8), "running for 4s"),
        (execution(S.SKIPPED, message="it still ran"), "skipped 12s ago: it still ran"),
        (execution(S.MISSED, 600, missed=3), "missed 3 times, 10m ago"),
        (Execution("exe_a", S.MISSED), "missed"),
    ],
)
def test_how_an_execution_went(found: Execution, words: str) -> None:
    assert whole(found, NOW) == words


def service(name: str) -> Service:
    return samples.jobs().services[name]


@pytest.mark.parametrize(
    ("name", "stage", "health"),
    [
        ("migrate", "ran 12s ago", "succeeded"),
        ("seed", "failed: exit 3", "failed"),
        ("import", "running 4s", "running"),
        ("new", "next", "-"),
    ],
)
def test_a_job_looks_as_its_last_execution_went(name: str, stage: str, health: str) -> None:
    found = service(name)
    assert stage_look(found, None, NOW, ASCII).word.startswith(stage)
    assert health_look(found, ASCII).word == health


def test_what_did_not_run_is_said_before_that_all_is_well() -> None:
    state = samples.jobs()
    state = replace(state, services={"report": state.services["report"]})
    line = plain(why(samples.scene(state, glyphs=ASCII)).line(120, ASCII))
    assert line == " !! report missed 3 times, 10m ago: nobody was there; X runs it now"


def test_a_schedule_says_whose_clock_and_what_happens_when_it_still_runs() -> None:
    told = [line.plain for line in schedule(replies.cron("a"))]
    assert told == [
        "schedule   0 3 * * *",
        "zone       Europe/Berlin",
        "overlap    skip: it is left out while an earlier one runs",
        "deadline   10.0s; later than that it is missed",
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_any_message_stays_text_and_fits(text: str) -> None:
    found = [replies.execution(status=status, message=text) for status in S]
    for line in past(found, replies.NOW, 78, ASCII):
        assert line.cell_length <= 78
        assert text[:8] in line.plain
    assert past([], replies.NOW, 78, ASCII)[0].plain == "it has not run yet"
