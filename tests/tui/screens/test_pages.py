"""The whole screens: what they load, what they say when there is nothing, and their keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from textual.widgets import Input

from core.errors import AgentUnavailable, NotFound
from core.model import Project, RouteRule, Service
from tests.tui.screens.host import Host, opened, settle, text_of
from tests.tui.screens.replies import (
    HOSTILE,
    Json,
    at,
    deployment,
    event,
    inspected,
    run,
    run_events,
    run_result,
    scene,
    service,
)
from tests.tui.scripted_verbs import ScriptedVerbs
from tui.keys import KEYS, Scope
from tui.screens.diff import DiffScreen
from tui.screens.events import EventsScreen
from tui.screens.help import HelpScreen
from tui.screens.history import HistoryScreen
from tui.screens.listing import Listing, Rows
from tui.screens.routes import RoutesScreen
from tui.screens.service import ServiceScreen
from tui.view.glyphs import ASCII, UNICODE, Glyphs

if TYPE_CHECKING:
    from tui.screens.asking import Page

GONE = AgentUnavailable("the agent does not answer", hint="start it: compartment agent start")


def history_verbs(**answers: Any) -> ScriptedVerbs:
    runs = [
        run(),
        run("drn_2", status="failed", label=None, services=["api"],
            failureMessage="api: no 2xx", createdAt=at(-90000), completedAt=at(-89970)),
    ]  # fmt: skip
    known: dict[str, Any] = {
        "runs": runs,
        "run_result": lambda run_id: run_result(run=next(e for e in runs if e["id"] == run_id)),
        "run_events": lambda run_id: run_events() if run_id == "drn_4c1a" else [],
        "inspect": lambda deployment_id: inspected(deployment_id),
    }
    return ScriptedVerbs(**{**known, **answers})


def service_verbs(**answers: Any) -> ScriptedVerbs:
    known: dict[str, Any] = {"deployments": [deployment("dep_web1", "web")], "inspect": inspected()}
    return ScriptedVerbs(**{**known, **answers})


# Service


async def test_a_service_is_shown_live_with_its_past_and_configuration() -> None:
    verbs = service_verbs()
    screen = ServiceScreen(verbs, "web", UNICODE)
    async with opened(screen, scene(), size=(120, 45)) as pilot:
        text = text_of(pilot.app)
        for words in ("web  web service  shop / production", "live       dep_web1",
                      "last deployments", "» ", "deployed with (dep_web1)", "readiness.timeoutMs",
                      "LOG_LEVEL, SECRET_KEY"):  # fmt: skip
            assert words in text
        assert verbs.asked == [("deployments", "web"), ("inspect", "dep_web1")]


async def test_a_service_is_asked_about_again_only_when_it_moves() -> None:
    verbs = service_verbs()
    screen = ServiceScreen(verbs, "web", UNICODE)
    async with opened(screen, scene()) as pilot:
        screen.show(scene())
        await settle(pilot)
        assert len(verbs.asked) == 2
        candidate = deployment("dep_web2", "web", status="running", isActive=False,
                               promotionStage="building")  # fmt: skip
        screen.show(scene(services={"web": service("web", candidate=candidate)}))
        await settle(pilot)
        assert verbs.asked[2:] == [("deployments", "web"), ("inspect", "dep_web2")]
        assert "candidate  dep_web2" in text_of(pilot.app)


async def test_the_present_is_seen_before_the_agent_answers() -> None:
    verbs = service_verbs()
    verbs.is_open.clear()
    screen = ServiceScreen(verbs, "web", UNICODE)
    screen.show(scene())
    app = Host(screen)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "loading" in text_of(app)
        assert "live       dep_web1" in text_of(app)
        verbs.is_open.set()
        await settle(pilot)
        assert "loading" not in text_of(app)


async def test_a_service_without_an_agent_is_still_shown() -> None:
    screen = ServiceScreen(service_verbs(deployments=GONE), "web", UNICODE)
    async with opened(screen, scene()) as pilot:
        text = text_of(pilot.app)
        assert "✗ the agent does not answer" in text
        assert "start it: compartment agent start" in text
        assert "live       dep_web1" in text


async def test_a_service_that_is_gone_says_so() -> None:
    screen = ServiceScreen(service_verbs(), "web", UNICODE)
    async with opened(screen, scene()) as pilot:
        screen.show(scene(services={}))
        await pilot.pause()
        assert "there is no service web any more" in text_of(pilot.app)


async def test_a_service_is_scrolled_by_keys_and_left() -> None:
    screen = ServiceScreen(service_verbs(), "web", UNICODE)
    async with opened(screen, scene()) as pilot:
        assert "variables" not in text_of(pilot.app)
        await pilot.press("G")
        await settle(pilot)
        assert "variables" in text_of(pilot.app)
        await pilot.press("q")
        await pilot.pause()
        assert pilot.app.results == [None]


# History


async def test_history_shows_runs_and_the_timeline_of_the_chosen_one() -> None:
    verbs = history_verbs()
    async with opened(HistoryScreen(verbs, UNICODE), scene(), size=(120, 35)) as pilot:
        text = text_of(pilot.app)
        for words in ("History  shop / production", "✓ succeeded", '"fix totals"', "web and api"):
            assert words in text
        for words in ("waits 10.4s", "routes switched 20.0s after the start", "dep_api1"):
            assert words in text
        await pilot.press("down")
        await settle(pilot)
        assert "api: no 2xx" in text_of(pilot.app)
        assert verbs.asked[-1] == ("run_events", "drn_2")


async def test_history_without_runs_says_what_to_do() -> None:
    async with opened(HistoryScreen(history_verbs(runs=[]), UNICODE)) as pilot:
        assert "no run yet: D deploys" in text_of(pilot.app)
        await pilot.press("b", "equals_sign")
        await pilot.pause()
        assert "no deployment is chosen" in text_of(pilot.app)
        assert pilot.app.asked_back_to == []


@pytest.mark.parametrize("broken", ["runs", "run_result", "run_events"])
async def test_history_without_an_agent_says_so(broken: str) -> None:
    async with opened(HistoryScreen(history_verbs(**{broken: GONE}), UNICODE)) as pilot:
        assert "✗ the agent does not answer" in text_of(pilot.app)


async def test_history_rolls_back_to_what_can_be_returned_to() -> None:
    old = deployment("dep_web0", "web", isActive=False, rollbackAvailable=True)
    verbs = history_verbs(run_result=run_result(deployments=[old]))
    async with opened(HistoryScreen(verbs, UNICODE), scene()) as pilot:
        assert "can be returned to" in text_of(pilot.app)
        await pilot.press("b")
        await pilot.pause()
        assert pilot.app.asked_back_to == [("web", "dep_web0")]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "it is live"),
        ({"isActive": False, "status": "failed"}, "it failed"),
        ({"isActive": False, "status": "running"}, "it is on its way"),
        ({"isActive": False}, "what it ran is not kept any more"),
    ],
)
async def test_history_says_why_it_cannot_be_returned_to(changes: dict[str, Any], why: str) -> None:
    found = run_result(deployments=[deployment("dep_web1", "web", **changes)])
    async with opened(HistoryScreen(history_verbs(run_result=found), UNICODE)) as pilot:
        await pilot.press("b")
        await pilot.pause()
        assert f"dep_web1 cannot be returned to: {why}" in text_of(pilot.app)
        assert pilot.app.asked_back_to == []


async def test_a_read_only_history_does_not_roll_back() -> None:
    old = deployment("dep_web0", "web", isActive=False, rollbackAvailable=True)
    verbs = history_verbs(run_result=run_result(deployments=[old]))
    async with opened(HistoryScreen(verbs, UNICODE, is_read_only=True)) as pilot:
        assert "roll back" not in text_of(pilot.app)
        await pilot.press("b")
        await pilot.pause()
        assert pilot.app.asked_back_to == []


async def test_history_compares_with_the_live_one() -> None:
    old = deployment("dep_web0", "web", isActive=False)
    live = deployment("dep_web1", "web")
    verbs = history_verbs(run_result=run_result(deployments=[old], activeDeployments=[live]))
    async with opened(HistoryScreen(verbs, UNICODE)) as pilot:
        await pilot.press("equals_sign")
        await settle(pilot)
        assert isinstance(pilot.app.screen, DiffScreen)
        assert verbs.asked[-2:] == [("inspect", "dep_web0"), ("inspect", "dep_web1")]
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(pilot.app.screen, HistoryScreen)


async def test_history_does_not_compare_the_live_one_with_itself() -> None:
    async with opened(HistoryScreen(history_verbs(), UNICODE)) as pilot:
        await pilot.press("equals_sign")
        await pilot.pause()
        assert "dep_web1 is the live one" in text_of(pilot.app)


async def test_the_filter_of_history_is_left_step_by_step() -> None:
    async with opened(HistoryScreen(history_verbs(), UNICODE), scene()) as pilot:
        screen = pilot.app.screen
        await pilot.press("slash", *"failed q")
        await settle(pilot)
        assert screen.query_one("#runs", Listing).rows.option_count == 0
        assert "no run has: failed q" in text_of(pilot.app)
        await pilot.press("backspace", "backspace", "enter")
        await settle(pilot)
        assert screen.query_one("#runs", Listing).rows.option_count == 1
        assert pilot.app.focused is screen.query_one("#runs", Listing).rows
        await pilot.press("escape")
        await settle(pilot)
        assert screen.query_one("#runs", Listing).rows.option_count == 2
        assert pilot.app.results == []
        await pilot.press("escape")
        await pilot.pause()
        assert pilot.app.results == [None]


async def test_history_asks_again_when_a_run_ends_and_keeps_the_cursor() -> None:
    verbs = history_verbs()
    screen = HistoryScreen(verbs, UNICODE)
    busy = scene(run=run("drn_9", status="running", completedAt=None))
    async with opened(screen, busy) as pilot:
        await pilot.press("down")
        await settle(pilot)
        verbs.answers["runs"] = [run("drn_9"), *verbs.answers["runs"]]
        verbs.answers["run_result"] = lambda run_id: run_result(run=run(run_id))
        screen.show(replace(busy))
        await settle(pilot)
        assert verbs.asked.count(("runs",)) == 1, "nothing has changed"
        screen.show(scene(run=run("drn_9")))
        await settle(pilot)
        assert verbs.asked.count(("runs",)) == 2
        assert screen.query_one("#runs", Listing).chosen == "drn_2"


@pytest.mark.parametrize("text", HOSTILE)
async def test_history_shows_any_text(text: str) -> None:
    found = [run(label=text, services=[text], failureMessage=text, status="failed")]
    result = run_result(run=found[0], deployments=[deployment("dep_1", text)])
    facts = {"serviceName": text, "deploymentId": "dep_1", "failureMessage": text}
    events = [event("DeploymentFailed", 3, text, **facts)]
    verbs = history_verbs(runs=found, run_result=result, run_events=events)
    async with opened(HistoryScreen(verbs, ASCII), size=(120, 35)) as pilot:
        assert f"xx {text}" in text_of(pilot.app)


# Diff


async def test_diff_shows_what_differs() -> None:
    verbs = ScriptedVerbs(inspect=lambda each: inspected(each, isActive=each == "dep_2",
                                                         run={"command": each}))  # fmt: skip
    async with opened(DiffScreen(verbs, "dep_1", "dep_2", UNICODE)) as pilot:
        text = text_of(pilot.app)
        assert "web: dep_1  ->  dep_2 (live)" in text
        assert "- run.command: dep_1" in text
        assert "+ run.command: dep_2" in text


async def test_diff_says_when_nothing_differs() -> None:
    screen = DiffScreen(ScriptedVerbs(inspect=inspected), "dep_1", "dep_2", UNICODE)
    async with opened(screen) as pilot:
        assert "nothing differs" in text_of(pilot.app)


@pytest.mark.parametrize(
    ("ids", "missing"), [((None, "dep_1"), "no earlier"), (("dep_1", None), "no live")]
)
async def test_diff_needs_two(ids: tuple[str | None, str | None], missing: str) -> None:
    verbs = ScriptedVerbs()
    async with opened(DiffScreen(verbs, *ids, UNICODE)) as pilot:
        assert f"there is {missing} deployment to compare with" in text_of(pilot.app)
        assert verbs.asked == []


async def test_diff_of_what_is_gone_says_so() -> None:
    verbs = ScriptedVerbs(inspect=NotFound("no deployment dep_1", hint="see the list"))
    async with opened(DiffScreen(verbs, "dep_1", "dep_2", UNICODE)) as pilot:
        assert "no deployment dep_1" in text_of(pilot.app)
        assert "✗" not in text_of(pilot.app), "it has not failed"
        assert "see the list" in text_of(pilot.app)


# Routes


def shop(*rules: RouteRule) -> Project:
    names = ("web", "api", "admin")
    return Project("shop", Path(), {name: Service(name, name) for name in names}, rules)


LIVE = [{"on": "web", "methods": [], "path": "/api/*", "to": "api"}]
RULE = RouteRule("web", "/api/*", "api")


async def test_a_request_is_tried_while_it_is_typed() -> None:
    async with opened(RoutesScreen(shop(RULE), LIVE, UNICODE)) as pilot:
        assert "type a request to web" in text_of(pilot.app)
        await pilot.press(*"GET /api/x")
        await pilot.pause()
        assert "web: GET /api/x" in text_of(pilot.app)
        assert "rule 1 takes it (any /api/*): api sees /api/x" in text_of(pilot.app)
        await pilot.press(*"/../y")
        await pilot.pause()
        assert "refused with 404: it has a segment . or .." in text_of(pilot.app)


async def test_another_service_is_asked_by_its_name() -> None:
    async with opened(RoutesScreen(shop(RULE), LIVE, UNICODE)) as pilot:
        await pilot.press(*"admin /api/x")
        await pilot.pause()
        assert "no rule takes it: admin handles it itself" in text_of(pilot.app)


async def test_changed_rules_wait_for_a_deployment() -> None:
    changed = RouteRule("web", "/new", "api")
    async with opened(RoutesScreen(shop(RULE, changed), LIVE, UNICODE)) as pilot:
        text = text_of(pilot.app)
        assert "changed rules of web wait for a deployment of web" in text
        assert "not live yet" in text


@pytest.mark.parametrize("project", [None, shop()])
async def test_without_rules_it_says_so(project: Project | None) -> None:
    async with opened(RoutesScreen(project, [], UNICODE)) as pilot:
        assert "no rules: every service handles the requests to its own host" in text_of(pilot.app)


async def test_without_files_the_live_rules_are_shown() -> None:
    async with opened(RoutesScreen(None, LIVE, UNICODE)) as pilot:
        text = text_of(pilot.app)
        assert "1 route rule live" in text
        assert "-> api" in text
        assert "wait for" not in text


async def test_routes_are_left_from_the_input() -> None:
    async with opened(RoutesScreen(shop(RULE), LIVE, UNICODE)) as pilot:
        await pilot.press("q")
        assert pilot.app.screen.query_one(Input).value == "q"
        await pilot.press("escape")
        await pilot.pause()
        assert pilot.app.results == [None]


# Events


def numbered(*events: Json) -> list[Json]:
    return [{**each, "seq": number} for number, each in enumerate(events, start=1)]


HAPPENED = numbered(
    event("RunQueued", 0, "deploy queued"),
    event("WarningGiven", 1, "a warning [/"),
    event("HealthChanged", 2, "it is ill", serviceName="web", health="unhealthy"),
)


async def test_events_are_shown_and_filtered_by_severity() -> None:
    async with opened(EventsScreen(UNICODE), scene(events=HAPPENED)) as pilot:
        assert all(words in text_of(pilot.app) for words in ("deploy queued", "a warning [/"))
        await pilot.press("L")
        await pilot.pause()
        assert "Events: warnings and failures" in text_of(pilot.app)
        assert "deploy queued" not in text_of(pilot.app)
        assert "a warning [/" in text_of(pilot.app)
        await pilot.press("L")
        await pilot.pause()
        assert "a warning" not in text_of(pilot.app)
        assert "✗ web" in text_of(pilot.app)
        await pilot.press("L")
        await pilot.pause()
        assert "deploy queued" in text_of(pilot.app)


async def test_no_events_say_so() -> None:
    async with opened(EventsScreen(UNICODE), scene(events=[])) as pilot:
        assert "nothing has happened yet" in text_of(pilot.app)
        await pilot.press("L")
        await pilot.pause()
        assert "no warnings and no failures" in text_of(pilot.app)
        cast("Any", pilot.app.screen).show(scene(events=HAPPENED))
        await pilot.pause()
        assert "no warnings" not in text_of(pilot.app)


async def test_events_are_followed_until_the_cursor_leaves_the_newest() -> None:
    many = numbered(*(event("RunQueued", each, f"number {each}") for each in range(50)))
    screen = EventsScreen(UNICODE)
    async with opened(screen, scene(events=many[:40])) as pilot:
        assert "number 39" in text_of(pilot.app)
        screen.show(scene(events=many[:45]))
        await pilot.pause()
        assert "number 44" in text_of(pilot.app)
        await pilot.press("up")
        screen.show(scene(events=many))
        await pilot.pause()
        assert "number 49" not in text_of(pilot.app)
        assert "5 new events, f follows" in text_of(pilot.app)
        await pilot.press("f")
        await pilot.pause()
        assert "number 49" in text_of(pilot.app)
        assert "new event" not in text_of(pilot.app)


async def test_events_that_were_read_by_scrolling_are_not_new() -> None:
    many = numbered(*(event("RunQueued", each, f"number {each}") for each in range(50)))
    screen = EventsScreen(UNICODE)
    async with opened(screen, scene(events=many[:40])) as pilot:
        await pilot.press("up")
        screen.show(scene(events=many))
        await pilot.press("end")
        await pilot.pause()
        assert "new event" not in text_of(pilot.app)


async def test_the_rows_of_events_are_bounded() -> None:
    screen = EventsScreen(UNICODE)
    async with opened(screen, scene(events=[])) as pilot:
        many = numbered(*(event("RunQueued", 0, "x") for _ in range(3000)))
        for begin in range(0, 3000, 500):
            screen.show(scene(events=many[begin : begin + 500]))
            await pilot.pause()
        rows = screen.query_one(Rows)
        assert rows.option_count <= 2000
        assert rows.options[-1].id == "3000"
        assert screen.is_following


# Help


async def test_help_begins_with_the_keys_of_the_pane() -> None:
    async with opened(HelpScreen(KEYS, Scope.LOGS, UNICODE)) as pilot:
        lines = text_of(pilot.app).splitlines()
        assert lines[1].strip() == "in a log pane"
        await pilot.press("G")
        await pilot.pause()
        assert "signs" in text_of(pilot.app)


async def test_help_has_two_columns_where_there_is_room() -> None:
    async with opened(
        HelpScreen(KEYS, None, UNICODE, {"app.deploy": "ctrl+g"}), size=(160, 50)
    ) as (pilot):
        text = text_of(pilot.app)
        assert "ctrl+g" in text
        assert "deploy what changed" in text
        assert all(section in text for section in ("actions", "in a log pane", "signs"))
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert not pilot.app.screen.query_one("#right").display


# All of them


def every_page(glyphs: Glyphs) -> list[Page]:
    verbs = history_verbs(deployments=[deployment("dep_web1", "web")])
    return [
        ServiceScreen(verbs, "web", glyphs),
        HistoryScreen(verbs, glyphs),
        DiffScreen(verbs, "dep_0", "dep_1", glyphs),
        RoutesScreen(shop(RULE), LIVE, glyphs),
        EventsScreen(glyphs),
        HelpScreen(KEYS, None, glyphs),
    ]


@pytest.mark.parametrize("number", range(6))
async def test_pages_in_ascii_through_every_size(number: int) -> None:
    screen = every_page(ASCII)[number]
    app = Host(screen)
    async with app.run_test(size=(200, 50)) as pilot:
        await settle(pilot)
        if hasattr(screen, "show"):
            cast("Any", screen).show(scene(ASCII))
        for size in ((200, 50), (80, 24), (60, 15), (120, 35)):
            await pilot.resize_terminal(*size)
            await settle(pilot)
            text = text_of(app)
            assert text.isascii()
            assert "esc back" in " ".join(text.split()), "it may be broken into two lines"


@pytest.mark.parametrize("number", range(6))
async def test_pages_are_left_with_the_mouse(number: int) -> None:
    async with opened(every_page(UNICODE)[number]) as pilot:
        last = text_of(pilot.app).splitlines()[-1]
        await pilot.click(offset=(last.index("esc back"), 23))
        await pilot.pause()
        assert pilot.app.results == [None]
