"""Counters of runs, deployments and executions, from the events in a journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.events import Event, EventType
from core.metrics.exposition import page
from core.metrics.history import History
from tests.metrics.reading import read, value

if TYPE_CHECKING:
    from core.journal import Journal
    from tests.metrics.reading import Samples

SHOP: Any = {"project": "shop", "environment": "production"}


class Story:
    """Events, one second apart unless told otherwise."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.at_s = 0.0

    def tell(
        self, type_: EventType, message: str = "", *, after_s: float = 1.0, **more: Any
    ) -> None:
        self.at_s += after_s
        minutes, seconds = divmod(self.at_s, 60)
        at = f"2026-01-01T00:{minutes:02.0f}:{seconds:09.6f}Z"
        names = ("run_id", "deployment_id", "service_name")
        named: Any = {name: more.pop(name) for name in names if name in more}
        self.events.append(Event(type_, at, message, **SHOP, **named, data=more))

    def stage(self, name: str, *, run: str = "drn_1", after_s: float = 1.0) -> None:
        of: Any = {"run_id": run, "deployment_id": "dep_1", "service_name": "web"}
        self.tell(EventType.STAGE_CHANGED, after_s=after_s, promotionStage=name, **of)

    def run_ends(self, status: str, code: str | None = None, *, run: str = "drn_1") -> None:
        self.tell(EventType.RUN_FINISHED, run_id=run, status=status, failureCode=code)

    def deploy(self) -> None:
        self.tell(EventType.RUN_QUEUED, "deploy queued, waits: deploy drn_0", run_id="drn_1")
        self.stage("building", after_s=0)
        self.tell(EventType.RUN_STARTED, after_s=120, run_id="drn_1")
        for stage, after_s in (
            ("starting_candidate", 20), ("checking_readiness", 0.25), ("switching_route", 3),
        ):  # fmt: skip
            self.stage(stage, after_s=after_s)
        self.tell(EventType.ROUTES_SWITCHED, run_id="drn_1", seconds=0.004)
        self.stage("draining_previous", after_s=0.01)
        of: Any = {"run_id": "drn_1", "deployment_id": "dep_0", "service_name": "web"}
        self.tell(EventType.PREVIOUS_DRAINED, seconds=0.3, requestsCut=2, **of)
        self.stage("active", after_s=1)
        self.run_ends("succeeded")


async def told(history: History) -> Samples:
    await history.learn()
    return read(page(history.families(), is_open=True))


async def test_a_deploy(journal: Journal) -> None:
    story = Story()
    story.deploy()
    await journal.commit(story.events)
    found = await told(History(journal))

    runs, stages = "compartment_runs_total", "compartment_stage_duration_seconds"
    assert value(found, runs, trigger="deploy", status="succeeded", **SHOP) == 1
    assert value(found, "compartment_deployments_total", service="web", status="succeeded") == 1
    assert value(found, "compartment_cut_requests_total", service="web") == 2
    assert value(found, "compartment_switch_duration_seconds_bucket", le="0.005") == 1
    assert value(found, "compartment_drain_duration_seconds_sum", service="web") == 0.3
    seconds = {
        stage: value(found, f"{stages}_sum", stage=stage, service="web")
        for stage in ("building", "starting_candidate", "checking_readiness", "active")
    }
    # The two minutes that it waited for its turn are no part of it.
    assert seconds == {
        "building": 20, "starting_candidate": 0.25, "checking_readiness": 3, "active": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        ("succeeded", None, "succeeded"),
        ("failed", "run_failed", "failed"),
        ("failed", "cancelled", "cancelled"),
    ],
)
async def test_how_runs_end(journal: Journal, status: str, code: str | None, expected: str) -> None:
    story = Story()
    story.tell(EventType.RUN_QUEUED, "rollback queued", run_id="drn_1")
    story.run_ends(status, code)
    await journal.commit(story.events)
    found = await told(History(journal))

    runs = "compartment_runs_total"
    assert value(found, runs) == value(found, runs, status=expected, trigger="rollback") == 1


async def test_a_deployment_that_failed_passed_no_stage(journal: Journal) -> None:
    story = Story()
    of: Any = {"run_id": "drn_1", "deployment_id": "dep_1", "service_name": "web"}
    story.stage("building")
    story.tell(EventType.DEPLOYMENT_FAILED, **of)
    story.stage("building", run="drn_2")
    await journal.commit(story.events)
    found = await told(History(journal))

    assert value(found, "compartment_deployments_total", status="failed", service="web") == 1
    assert value(found, "compartment_stage_duration_seconds_count") == 0


async def test_executions(journal: Journal) -> None:
    story = Story()
    for status in ("succeeded", "failed", "failed", "missed"):
        execution = {"trigger": "schedule", "status": status}
        story.tell(EventType.EXECUTION_ENDED, service_name="tidy", execution=execution)
    await journal.commit(story.events)
    found = await told(History(journal))

    ended = "compartment_executions_total"
    assert value(found, ended, service="tidy", trigger="schedule", status="failed") == 2
    assert value(found, ended) == 4


async def test_it_goes_on_where_it_stopped_and_an_agent_after_it_says_the_same(
    journal: Journal,
) -> None:
    history, story = History(journal), Story()
    assert await told(history) == {}
    story.deploy()
    for event in story.events:
        await journal.commit([event])
        before = await told(history)
    await journal.commit([Event(EventType.WARNING_GIVEN, "2026-01-02T00:00:00.000000Z", "")] * 1500)

    assert await told(history) == before == await told(History(journal))
    assert value(before, "compartment_runs_total") == 1


async def test_what_was_counted_outlives_its_events(journal: Journal) -> None:
    story = Story()
    story.deploy()
    story.tell(EventType.RUN_QUEUED, "deploy queued", run_id="drn_2")
    story.stage("building", run="drn_2")
    await journal.commit(story.events)
    before = History(journal)
    await before.keep()
    counted = await told(before)
    await journal.forget_loose_events(0)
    await journal._call(
        lambda: journal._open_connection().execute("DELETE FROM events WHERE run_id = 'drn_1'")
    )
    after = History(journal)
    await after.begin()
    assert await told(after) == counted

    # What was under way goes on, and nothing is counted twice.
    story.events.clear()
    story.stage("checking_readiness", run="drn_2", after_s=7)
    story.run_ends("succeeded", run="drn_2")
    await journal.commit(story.events)
    found = await told(after)
    stages = "compartment_stage_duration_seconds_sum"
    assert value(found, stages, stage="building") == value(counted, stages, stage="building") + 7
    assert value(found, "compartment_runs_total", trigger="deploy") == 2
