from __future__ import annotations

import pytest

from core.model import Trigger
from tests.tui.screens.replies import HOSTILE, Json, contained, plan, planned
from tui.view.glyphs import ASCII, UNICODE, Glyphs
from tui.view.plan import lines, title


def shown(found: Json, width: int = 78, glyphs: Glyphs = UNICODE) -> list[str]:
    return [line.plain for line in lines(found, width, glyphs)]


def test_a_plan_says_what_happens_in_its_order_and_draws_the_barrier() -> None:
    found = plan(
        planned("web", warnings=["no readiness check"]),
        planned("api", build=False, because="the configuration changed", replaces=None),
        planned("worker", action="leave", build=False, because="unchanged"),
        warnings=["changed route rules of admin wait for a deployment of admin"],
    )
    told = shown(found)
    assert told[:7] == [
        "1.  web  build, then start     the source changed",
        "    in place of dep_web1",
        "    ✓ zero downtime: the candidate starts beside the live one",
        "    ↻ no readiness check",
        "2.  api  start, built already  the configuration changed",
        "    for the first time",
        "    ✓ zero downtime: the candidate starts beside the live one",
    ]
    assert told[8].startswith("─── barrier ──")
    assert told[9:] == [
        "    both switch together; if one fails, none does and what is live stays",
        "",
        "    left alone, unchanged: worker",
        "",
        "    ↻ changed route rules of admin wait for a deployment of admin",
        "",
        "on the process engine: shop/production was first deployed to it",
        "usually takes about 52s",
    ]


def test_a_rollback_names_both_deployments() -> None:
    step = planned(
        "web", action="rollback", build=False, deploymentId="dep_old", replaces="dep_new",
        because="it was live before the active one",
    )  # fmt: skip
    told = shown(plan(step, usualSeconds=None))
    assert told[0] == "1.  web  roll back, no build  it was live before the active one"
    assert told[1] == "    from dep_new back to dep_old"
    assert not any("usually" in line for line in told)


def test_downtime_is_a_warning() -> None:
    step = planned("db", zeroDowntime=False, zeroDowntimeReason="it has a fixed port")
    assert "    ↻ not without downtime: it has a fixed port" in shown(plan(step))


def test_what_stops_first_is_named_with_its_reason_and_apart_from_the_barrier() -> None:
    stops = {"strategy": "stop-first", "zeroDowntime": False, "zeroDowntimeReason": "one volume"}
    found = plan(planned("db", **stops), planned("web"), planned("api"))
    told = shown(found, 100)
    assert "    ↻ stops first: one volume" in told
    at = told.index("no zero downtime: db; stopped first, and started again if the new one fails")
    assert told[at + 1].startswith("─── barrier ──")
    assert told[at + 2].strip().startswith("both switch together")
    alone = shown(plan(planned("db", **stops)), 100)
    assert not any("barrier" in line for line in alone)


def test_a_first_deployment_has_nothing_to_stop() -> None:
    step = planned("db", strategy="singleton", zeroDowntime=False, replaces=None,
                   zeroDowntimeReason="nothing is live yet")  # fmt: skip
    told = shown(plan(step))
    assert not any("stop" in line or "downtime" in line for line in told)


def test_what_is_waited_for_and_which_variables_differ() -> None:
    step = planned(
        "web",
        because="variables changed: A, B",
        waitsFor=[
            {"serviceName": "db", "condition": "healthy"},
            {"serviceName": "migrate", "condition": "completed"},
            {"serviceName": "[red]", "condition": "started"},
        ],
        variablesChanged=["A", "B"],
    )
    told = shown(plan(step), 120)
    assert told[0].endswith("variables changed")
    waits = "db to be healthy, migrate to be completed and [red] to be started"
    assert f"    waits for {waits}" in told
    assert "    variables set otherwise: A and B" in told


def test_a_promotion_says_from_where_and_what() -> None:
    steps = [
        planned("web", action="promote", build=False, deploymentId="dep_s1"),
        planned("api", action="promote", build=False, deploymentId="dep_s2", replaces=None),
    ]
    told = shown(plan(*steps))
    assert told[0].startswith("1.  web  promote, no build")
    assert "    what dep_s1 runs, in place of dep_web1" in told
    assert "    what dep_s2 runs, for the first time" in told
    heading = title(Trigger.PROMOTE, plan(*steps), "production", "staging")
    assert heading == "Promote 2 services from staging to production"


@pytest.mark.parametrize(
    ("count", "words"), [(1, "it switches once"), (2, "both switch"), (5, "all 5 switch")]
)
def test_the_barrier_counts(count: int, words: str) -> None:
    told = shown(plan(*(planned(f"s{at}") for at in range(count))))
    assert any(line.strip().startswith(words) for line in told)


def test_nothing_to_do_says_so() -> None:
    found = plan(planned("web", action="leave"))
    assert shown(found)[0] == "every service is up to date: nothing would be built or replaced"
    assert not any("barrier" in line or "usually" in line for line in shown(found))
    assert title(Trigger.DEPLOY, found, "production") == "Deploy: nothing to do in production"


@pytest.mark.parametrize(
    ("trigger", "words"),
    [
        (Trigger.DEPLOY, "Deploy 1 service to staging"),
        (Trigger.REDEPLOY, "Redeploy 1 service to staging"),
        (Trigger.ROLLBACK, "Roll back 1 service in staging"),
    ],
)
def test_the_title_says_how_much_and_where(trigger: Trigger, words: str) -> None:
    assert title(trigger, plan(planned("web")), "staging") == words
    assert title(trigger, None, "staging").endswith(": the plan for staging")


@pytest.mark.parametrize("width", [40, 74])
@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_fits_and_stays_text(text: str, width: int) -> None:
    found = plan(planned(text, warnings=[text]), warnings=[text])
    for line in lines(found, width, ASCII):
        assert line.cell_length <= width
    assert any(text[:10] in line for line in shown(found, 78))


def test_ascii_has_only_ascii() -> None:
    assert all(line.isascii() for line in shown(plan(planned("web")), glyphs=ASCII))


def test_a_compose_service_says_what_was_decided_and_why() -> None:
    told = shown(plan(contained()), width=100, glyphs=ASCII)
    assert told[2:7] == [
        "    kind tcp: it listens on 5432: postgres listens there",
        "    published any free port > 5432/tcp",
        "    network backend",
        "    !! stops first: its strategy is stop-first: only it writes to the volume pgdata",
        "",
    ]


def test_a_strategy_that_is_no_reason_for_downtime_is_told() -> None:
    ports = [
        {"port": 3000, "protocol": "http", "because": "expose"},
        {"port": 9090, "protocol": "look", "because": "nothing tells"},
    ]
    step = {**contained(), "strategyReason": "x-compartment says so", "ports": ports}
    told = shown(plan(step))
    assert "    strategy stop-first: x-compartment says so" in told
    assert "    listens on 3000 http and 9090 to be looked at" in told


def test_notes_of_the_files_are_told_with_their_place() -> None:
    note = {"file": "compose.yml", "line": 3, "column": 5, "message": "no tag",
            "hint": "name one", "service": "db"}  # fmt: skip
    told = shown(plan(planned("web"), notes=[note]))
    assert "    note: compose.yml:3:5: no tag (name one)" in told


def test_a_login_and_a_way_back_are_said_before_a_run() -> None:
    rule = {"words": "when it turns unhealthy within 300 s of the switch"}
    found = plan(
        planned(
            "web",
            accessMode="authenticated",
            autoRollback={**rule, "isWatched": True, "because": None},
        ),
        planned(
            "api",
            accessMode="public",
            autoRollback={**rule, "isWatched": False, "because": "nothing is live"},
        ),
        planned("worker", accessMode="public", autoRollback=None),
    )
    told = [line.plain for line in lines(found, 100, ASCII)]
    assert [each for each in told if "login" in each] == ["    o- needs a login"]
    assert [each for each in told if "by itself" in each] == [
        "    << rolled back by itself when it turns unhealthy within 300 s of the switch",
        "    -- not rolled back by itself: nothing is live",
    ]
