from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from textual.content import Content

from tests.tui.screens.replies import HOSTILE, NOW, at, deployment, run, run_events, stage
from tui.view import detail
from tui.view.glyphs import ASCII, UNICODE
from tui.view.history import chart, is_found, run_row, title, took
from tui.view.timeline import timeline

if TYPE_CHECKING:
    from tui.view.columns import Row


def plain(row: Row) -> list[str]:
    return [str(cell) for cell in row]


def test_a_run_is_told_in_one_row() -> None:
    assert plain(run_row(run(), NOW, UNICODE)) == [
        "2m ago", "deploy", "✓ succeeded", "30.0s", "web and api", '"fix totals"',
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({"status": "failed"}, "✗ failed"),
        ({"status": "failed", "failureCode": "cancelled"}, "⊘ cancelled"),
        ({"status": "running", "completedAt": None}, "⋯ running"),
        ({"status": "queued", "completedAt": None}, "∘ queued"),
    ],
)
def test_results(changes: dict[str, Any], result: Any) -> None:
    assert plain(run_row(run(**changes), NOW, UNICODE))[2] == result


def test_a_run_that_goes_on_has_taken_until_now() -> None:
    assert plain(run_row(run(status="running", completedAt=None), NOW, UNICODE))[3] == "02:00"


def test_many_services_are_summed_up() -> None:
    found = run_row(run(services=[f"s{each}" for each in range(9)]), NOW, UNICODE)
    assert str(found[4]) == "s0, s1, s2 and 6 more"
    assert str(run_row(run(services=[]), NOW, UNICODE)[4]) == "none"


@pytest.mark.parametrize(
    ("text", "is_there"),
    [("", True), ("web", True), ("WEB totals", True), ("deploy succeeded", True),
     ("drn_4c1a", True), ("web failed", False), ("cancelled", False)],
)  # fmt: skip
def test_the_filter_wants_every_word(text: str, is_there: bool) -> None:
    assert is_found(run(), text) is is_there


def test_a_cancelled_run_is_found_as_such() -> None:
    assert is_found(run(status="failed", failureCode="cancelled"), "cancelled")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.008, "8ms"), (7.9, "7.9s"), (59.99, "59s"), (125, "2m 05s")]
)
def test_durations(seconds: float, text: str) -> None:
    assert took(seconds) == text


def test_the_chart_names_what_took_how_long() -> None:
    told = [line.plain for line in chart(timeline(run(), run_events(), NOW), 100, UNICODE)]
    assert told[0].startswith("api  .bbb")
    assert told[1] == "     build 11.8s, start 1.0s, readiness 7.0s, switch 10ms, drain 10.0s"
    assert "waits 10.4s" in told[3]
    assert "routes switched 20.0s after the start, in 5.2 ms" in told


def test_a_failed_run_says_that_nothing_was_switched() -> None:
    failed = run(status="failed")
    events = [stage("web", 1, "building")]
    told = [line.plain for line in chart(timeline(failed, events, NOW), 80, UNICODE)]
    assert "routes were not switched: what was live stayed" in told
    going = run(status="running", completedAt=None)
    told = [line.plain for line in chart(timeline(going, events, NOW), 80, UNICODE)]
    assert "routes are not switched yet: what is live stays until then" in told
    assert any("so far" in line for line in told)
    nothing = chart(timeline(run(), [], NOW), 80, UNICODE)
    assert nothing[0].plain == "nothing was deployed in this run"


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_fits_in_the_chart(name: str) -> None:
    events = [stage(name, 1, "building"), stage("web", 1, "building")]
    for line in chart(timeline(run(), events, NOW), 60, ASCII):
        assert line.cell_length <= 78, "the legend is the longest line"
    rows = [line for line in chart(timeline(run(), events, NOW), 60, ASCII) if "b" in line.plain]
    assert rows[0].cell_length <= 60


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "✓ live"),
        ({"health": "unhealthy"}, "✗ live, unhealthy"),
        ({"isActive": False}, "✓ succeeded"),
        ({"isActive": False, "promotionStage": "rolled_back"}, "↺ rolled back"),
        ({"isActive": False, "status": "failed"}, "✗ failed"),
        ({"isActive": False, "status": "stopped"}, "⊘ stopped"),
        ({"isActive": False, "status": "queued"}, "∘ queued"),
        ({"isActive": False, "status": "running"}, "⋯ running"),
        ({"isActive": False, "status": "unheard of"}, "? unheard of"),
    ],
)
def test_what_has_become_of_a_deployment(changes: dict[str, Any], told: Any) -> None:
    assert detail.outcome(deployment("dep_1", "web", **changes), UNICODE).plain == told


def test_the_past_of_a_service() -> None:
    found = detail.past(
        [
            deployment("dep_2", "web"),
            deployment("dep_1", "web", isActive=False, status="failed",
                       failureMessage="no 2xx\nsecond line", createdAt=at(-90000)),
        ],
        NOW,
        80,
        UNICODE,
    )  # fmt: skip
    assert [line.plain for line in found] == [
        "»  dep_2  ✓ live    2m ago",
        "   dep_1  ✗ failed  1d 1h ago  no 2xx",
    ]
    assert detail.past([], NOW, 80, UNICODE)[0] == Content("never deployed")


def test_a_rollback_that_nobody_asked_for() -> None:
    told = run(trigger="rollback", because="web of dep_web2: it is unhealthy: boom\nmore")
    assert run_row(told, NOW, UNICODE)[1] == "rollback, by itself"
    assert title(told, UNICODE)[1].plain == "by itself: web of dep_web2: it is unhealthy: boom"
    assert is_found(told, "by itself boom")
    assert not is_found(run(), "by itself")
