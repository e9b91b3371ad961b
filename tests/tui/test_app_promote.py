"""Promoting, holding, and running jobs: conversations from their key to their end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import Conflict, NotFound
from tests.tui import samples
from tests.tui.apps import Hand, answers, become, dashboard, opened
from tests.tui.screens import replies
from tests.tui.screens.replies import HOSTILE
from tests.tui.scripted_verbs import ScriptedVerbs
from tui.going import Going

RUN = samples.RUN_ID
LIVE = replies.environment("staging"), replies.environment("production")


async def press(hand: Hand, *keys: str) -> None:
    for key in keys:
        await hand.press(key)
        await hand.settle()


async def test_a_promotion_shows_its_plan_and_is_followed_where_it_goes() -> None:
    async with opened(dashboard()) as hand:
        await press(hand, "P")
        await hand.until(lambda: "shop / staging" in hand.text)
        assert "Promote shop / production to" in hand.text
        await press(hand, "enter")
        await hand.until(lambda: "Promote 1 service from production to staging" in hand.text)
        assert (hand.asked("promotion"), hand.asked("promote")) == ([["production", "staging"]], [])
        await press(hand, "enter")
        await hand.until(lambda: hand.is_left)
        assert hand.asked("promote") == [["production", "staging"]]
        told = "run drn_new promotes production to staging: this is staging now"
        assert hand.app.return_value == Going("shop", "staging", told)


async def test_where_it_came_from_is_told_on_arrival() -> None:
    async with opened(dashboard(greeting="this is staging now")) as hand:
        assert hand.toasts == ["this is staging now"]


async def test_production_wants_its_name_typed() -> None:
    state = samples.idle()
    state = replace(state, place=replace(state.place, environment="staging"))
    async with opened(dashboard(state)) as hand:
        await press(hand, "P")
        await hand.until(lambda: "shop / production" in hand.text)
        await press(hand, "enter")
        await hand.until(lambda: "Type production to go on:" in hand.text)
        await press(hand, "enter")
        assert hand.asked("promote") == []
        await press(hand, *"production", "enter")
        await hand.until(lambda: hand.asked("promote") == [["staging", "production"]])


async def test_a_new_environment_comes_to_be_but_nothing_is_promoted_to_itself() -> None:
    async with opened(dashboard()) as hand:
        await press(hand, "P", "n", *"production", "enter")
        assert "production is what is promoted" in hand.text
        for _ in "production":
            await hand.press("backspace")
        await press(hand, *"qa", "enter")
        await hand.until_on("PlanScreen")
        assert hand.asked("promotion") == [["production", "qa"]]


async def test_what_another_environment_runs_is_promoted_from_the_list() -> None:
    async with opened(dashboard()) as hand:
        await press(hand, "0")
        await hand.until(lambda: "shop / staging" in hand.text)
        await press(hand, "down", "P")
        await hand.until_on("PromoteScreen")
        await hand.until(lambda: "Promote shop / staging to" in hand.text)
        await hand.until(lambda: "shop / production" in hand.text)
        await press(hand, "enter", *"production", "enter")
        await hand.until(lambda: hand.asked("promote") == [["staging", "production"]])
        assert not hand.is_left, "this is production already"


async def test_only_what_is_live_in_this_project_is_promoted() -> None:
    empty = replies.environment("qa", services={"active": 0, "unhealthy": 0})
    found = [*LIVE, empty, replies.environment("a", "blog")]
    verbs = ScriptedVerbs(**{**answers(), "environments": found})
    async with opened(dashboard(verbs=verbs)) as hand:
        await press(hand, "0")
        await hand.until(lambda: "blog" in hand.text)
        await press(hand, "down", "P")
        assert "nothing is live there to be promoted" in hand.text
        await press(hand, "end", "P")
        assert "enter switches to blog first" in hand.text
        assert hand.screen_name == "EnvironmentsScreen"


async def test_a_promotion_that_is_refused_says_why() -> None:
    refused = Conflict("staging runs on the docker engine", hint="promote between like engines")
    verbs = ScriptedVerbs(**{**answers(), "promotion": refused})
    async with opened(dashboard(verbs=verbs)) as hand:
        await press(hand, "P")
        await hand.until(lambda: "shop / staging" in hand.text)
        await press(hand, "enter")
        await hand.until(lambda: "staging runs on the docker engine" in hand.text)
        assert "enter run it" not in hand.text


async def test_nothing_is_promoted_held_or_run_where_only_reading_is_wanted() -> None:
    async with opened(dashboard(samples.held(), is_read_only=True)) as hand:
        await press(hand, "P", "p", "X", "K")
        assert hand.screen_name == "MainScreen"
        assert "held before the switch" in hand.text
        assert hand.asked("hold") == hand.asked("resume") == []
        await press(hand, "0")
        await hand.until(lambda: "shop / staging" in hand.text)
        await press(hand, "P")
        assert hand.screen_name == "EnvironmentsScreen"


@pytest.mark.parametrize("text", HOSTILE)
async def test_any_environment_is_promoted_to(text: str) -> None:
    found = [*LIVE, replies.environment(text[:63])]
    verbs = ScriptedVerbs(**{**answers(), "environments": found})
    async with opened(dashboard(verbs=verbs)) as hand:
        await press(hand, "P")
        await hand.until(lambda: text[:4] in hand.text)
        await hand.press(*(["down"] if text > "staging" else []), "enter")
        await hand.until_on("PlanScreen")
        assert hand.asked("promotion") == [["production", text[:63]]]


# Hold


async def test_a_run_is_held_and_goes_on() -> None:
    async with opened(dashboard(samples.deploying())) as hand:
        await press(hand, "p")
        await hand.until(lambda: hand.asked("hold") == [[RUN]])
        become(hand.app, samples.held())
        await hand.until(lambda: "held: press p to switch; web and api are ready" in hand.text)
        assert "switch ▮▮ held" in hand.text
        assert "deploying 2 services, held" in hand.text
        await press(hand, "p")
        await hand.until(lambda: hand.asked("resume") == [[RUN]])


async def test_a_run_past_its_switch_is_not_held() -> None:
    async with opened(dashboard(samples.draining())) as hand:
        await press(hand, "p")
        await hand.until(lambda: hand.toasts)
        assert hand.toasts == [f"deploy {RUN} is past the switch: it cannot be held any more"]
        assert hand.asked("hold") == []


async def test_what_the_agent_says_of_a_hold_is_told() -> None:
    past = Conflict("run drn_a is past the switch and cannot be held")
    verbs = ScriptedVerbs(**{**answers(), "hold": past})
    async with opened(dashboard(samples.deploying(), verbs)) as hand:
        await press(hand, "p")
        await hand.until(lambda: hand.toasts == [past.message])


# Jobs


async def on(hand: Hand, service: str) -> None:
    while hand.app.selected != service:
        await press(hand, "j")


async def test_a_job_is_run_now() -> None:
    async with opened(dashboard(samples.jobs())) as hand:
        await press(hand, "g")
        await on(hand, "migrate")
        await press(hand, "X")
        await hand.until_on("ConfirmScreen")
        assert "Run migrate now?" in hand.text
        assert "succeeded 12s ago, took 3.2s" in hand.text
        await press(hand, "enter")
        assert hand.asked("execute") == []
        await press(hand, "X", "y")
        await hand.until(lambda: hand.toasts == ["migrate runs: exe_new"])
        assert hand.asked("execute") == [["migrate"]]


async def test_what_a_job_runs_is_ended() -> None:
    async with opened(dashboard(samples.jobs())) as hand:
        await press(hand, "g")
        await on(hand, "import")
        await press(hand, "K")
        await hand.until(lambda: "End what import runs?" in hand.text)
        await press(hand, "y")
        await hand.until(lambda: hand.asked("cancel_execution") == [["exe_now"]])


async def test_only_jobs_are_run_and_only_what_runs_is_ended() -> None:
    gone = NotFound("migrate is not active")
    verbs = ScriptedVerbs(**{**answers(), "executions": [replies.execution()], "execute": gone})
    async with opened(dashboard(samples.jobs(), verbs)) as hand:
        await press(hand, "X")
        assert hand.toasts == ["web is a web: only jobs and crons are run"]
        await press(hand, "g")
        await on(hand, "migrate")
        await press(hand, "K")
        await hand.until(lambda: hand.toasts[-1] == "migrate does not run at this moment")
        await press(hand, "X", "y")
        await hand.until(lambda: hand.toasts[-1] == gone.message)


async def test_a_cron_shows_its_schedule_and_what_it_did() -> None:
    did = [
        replies.execution("exe_2", status="failed", exitCode=3, message="exited with code 3"),
        replies.execution("exe_1", trigger="manual"),
        replies.execution("exe_0", status="missed", missed=3, message="nobody was there"),
    ]
    verbs = ScriptedVerbs(
        **{**answers(), "executions": did, "crons": [replies.cron("backup"), replies.cron("x")]}
    )
    async with opened(dashboard(samples.jobs(), verbs), size=(120, 50)) as hand:
        await press(hand, "g")
        await on(hand, "backup")
        await press(hand, "enter")
        await hand.until(lambda: "last executions" in hand.text)
        for words in (
            "0 3 * * *",
            "Europe/Berlin",
            "skip: it is left out while an earlier one runs",
            "failed     schedule",
            "3.2s     exe_2  exited with code 3",
            "succeeded  manual",
            "3 times  exe_0  nobody was there",
        ):
            assert words in hand.text
