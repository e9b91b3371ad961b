"""Confirm, quit and plan: what they ask, and that keys typed ahead do not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Button, Input

from core.errors import ConfigError, EngineUnavailable
from core.model import Problem, Trigger
from tests.tui.screens.host import Clock, Host, in_sight, settle, text_of
from tests.tui.screens.replies import HOSTILE, at, deployment, plan, planned, run, scene, service
from tests.tui.scripted_verbs import ScriptedVerbs
from tui.screens.confirm import ConfirmScreen
from tui.screens.plan import PlanScreen
from tui.screens.quit import QuitChoice, QuitScreen
from tui.view.glyphs import ASCII, UNICODE, Glyphs

if TYPE_CHECKING:
    from tui.screens.asking import Dialog


def confirm(*, yes: str | None = "roll back", **options: Any) -> ConfirmScreen:
    details = ("from dep_2", "to dep_1")
    return ConfirmScreen("Roll web back?", details, yes, "leave it", **options)


@pytest.mark.parametrize(
    ("keys", "result"),
    [
        (["enter"], False),
        (["n"], False),
        (["escape"], False),
        (["q"], False),
        (["y"], True),
        (["right", "enter"], True),
        (["right", "left", "enter"], False),
        (["tab", "enter"], True),
    ],
)
async def test_a_question_is_answered_by_its_keys(keys: list[str], result: Any) -> None:
    async with in_sight(confirm()) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        assert pilot.app.results == [result]


async def test_a_question_says_everything_and_starts_on_no() -> None:
    async with in_sight(confirm()) as pilot:
        text = text_of(pilot.app)
        for words in ("Roll web back?", "from dep_2", "to dep_1", "leave it  (n)",
                      "roll back  (y)"):  # fmt: skip
            assert words in text
        assert pilot.app.screen.query_one("#no").has_focus


@pytest.mark.parametrize(("button", "result"), [("#yes", True), ("#no", False)])
async def test_a_question_is_answered_by_mouse(button: str, result: Any) -> None:
    async with in_sight(confirm()) as pilot:
        await pilot.click(button)
        await pilot.pause()
        assert pilot.app.results == [result]


async def test_without_a_yes_there_is_only_closing() -> None:
    async with in_sight(confirm(yes=None)) as pilot:
        assert len(pilot.app.screen.query(Button)) == 1
        await pilot.press("y")
        await pilot.pause()
        assert pilot.app.results == [False]


@pytest.mark.parametrize("key", ["y", "n", "enter", "escape", "q"])
async def test_what_was_typed_ahead_does_not_answer(key: str) -> None:
    clock = Clock()
    async with in_sight(confirm(clock=clock), clock) as pilot:
        await pilot.press(key)
        await pilot.pause()
        assert pilot.app.results == []
        clock.at += 0.29
        await pilot.press(key)
        await pilot.pause()
        assert pilot.app.results == []
        clock.at += 0.02
        await pilot.press(key)
        await pilot.pause()
        assert len(pilot.app.results) == 1


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_question_shows_any_text(text: str) -> None:
    screen = ConfirmScreen(text, [text], text[:16], text[:16], glyphs=ASCII)
    async with in_sight(screen) as pilot:
        seen = text_of(pilot.app)
        assert seen.count(text) >= 2
        assert seen.count(text[:16]) >= 4


MOVING = service("web", candidate=deployment("dep_web2", "web", status="running", isActive=False,
                                             promotionStage="building"))  # fmt: skip
BUSY = run(status="running", completedAt=None, createdAt=at(-37), deploymentIds=["dep_web2"])


@pytest.mark.parametrize(
    ("keys", "result"),
    [
        (["enter"], QuitChoice.LEAVE),
        (["l"], QuitChoice.LEAVE),
        (["w"], QuitChoice.WAIT),
        (["x"], QuitChoice.CANCEL),
        (["down", "enter"], QuitChoice.WAIT),
        (["escape"], None),
        (["q"], None),
    ],
)
async def test_quitting_during_a_run(keys: list[str], result: Any) -> None:
    screen = QuitScreen(UNICODE)
    async with in_sight(screen) as pilot:
        screen.show(scene(run=BUSY, services={"web": MOVING}))
        await pilot.press(*keys)
        await pilot.pause()
        assert pilot.app.results == [result]


async def test_quitting_shows_how_far_the_run_is() -> None:
    screen = QuitScreen(UNICODE)
    screen.show(scene(run=BUSY, services={"web": MOVING}))
    async with in_sight(screen) as pilot:
        assert "deploying  building, 0 of 1 through  00:37 of about 52s" in text_of(pilot.app)
        assert screen.query_one("#leave").has_focus


async def test_what_is_past_its_switch_is_not_offered_to_be_cancelled() -> None:
    screen = QuitScreen(UNICODE)
    async with in_sight(screen) as pilot:
        switching = {**MOVING["candidate"], "promotionStage": "switching_route"}
        screen.show(scene(run=BUSY, services={"web": {**MOVING, "candidate": switching}}))
        await pilot.press("x")
        await pilot.pause()
        assert pilot.app.results == []
        assert screen.query_one("#cancel", Button).disabled


async def test_a_run_that_ends_meanwhile_is_said() -> None:
    screen = QuitScreen(UNICODE)
    async with in_sight(screen) as pilot:
        screen.show(scene())
        await pilot.pause()
        text = text_of(pilot.app)
        assert "The run has ended. Quit?" in text
        assert "✓ deploy succeeded" in text


def plan_screen(
    verbs: ScriptedVerbs,
    *,
    trigger: Trigger = Trigger.DEPLOY,
    typed: bool = False,
    glyphs: Glyphs = UNICODE,
    **options: Any,
) -> PlanScreen:
    return PlanScreen(
        lambda: verbs.plan(trigger),
        trigger,
        glyphs,
        environment="production",
        needs_typed_name=typed,
        **options,
    )


async def test_a_plan_is_shown_and_run() -> None:
    verbs = ScriptedVerbs(plan=plan(planned("web"), planned("api")))
    async with in_sight(plan_screen(verbs)) as pilot:
        text = text_of(pilot.app)
        assert verbs.asked == [("plan", Trigger.DEPLOY, (), None)]
        for words in ("Deploy 2 services to production", "build, then start", "both switch",
                      "enter run it", "esc leave it"):  # fmt: skip
            assert words in text
        await pilot.press("enter")
        await pilot.pause()
        assert pilot.app.results == [True]


async def test_nothing_runs_before_the_plan_is_seen() -> None:
    verbs = ScriptedVerbs(plan=plan(planned("web")))
    verbs.is_open.clear()
    clock = Clock()
    app = Host(plan_screen(verbs, clock=clock))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        clock.at += 10
        assert "loading" in text_of(app)
        assert "run it" not in text_of(app)
        await pilot.press("enter")
        verbs.is_open.set()
        await settle(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert app.results == [], "the plan has been there for no time at all"
        clock.at += 0.31
        await pilot.press("enter")
        await pilot.pause()
        assert app.results == [True]


async def test_a_plan_that_changes_nothing_can_only_be_closed() -> None:
    verbs = ScriptedVerbs(plan=plan(planned("web", action="leave")))
    async with in_sight(plan_screen(verbs)) as pilot:
        text = text_of(pilot.app)
        assert "nothing to do" in text
        assert "every service is up to date" in text
        assert "run it" not in text
        await pilot.press("enter")
        await pilot.pause()
        assert pilot.app.results == []
        await pilot.press("escape")
        await pilot.pause()
        assert pilot.app.results == [False]


async def test_a_plan_that_cannot_be_made_says_why() -> None:
    problem = Problem("compartment.yml", 3, 5, "unknown key [/ ports", "did you mean port?")
    error = ConfigError("the project is not valid", hint="mend it", problems=[problem])
    async with in_sight(plan_screen(ScriptedVerbs(plan=error))) as pilot:
        text = text_of(pilot.app)
        assert "✗ the project is not valid" in text
        assert "compartment.yml:3:5: unknown key [/ ports (did you mean port?)" in text
        assert "mend it" in text
        await pilot.press("enter")
        await pilot.pause()
        assert pilot.app.results == []


@pytest.mark.parametrize(
    ("typed", "result"),
    [("production", [True]), ("producti", []), ("PRODUCTION", []), ("", [])],
)
async def test_the_name_must_be_typed(typed: str, result: Any) -> None:
    verbs = ScriptedVerbs(plan=plan(planned("web", action="rollback", build=False)))
    screen = plan_screen(verbs, trigger=Trigger.ROLLBACK, typed=True)
    async with in_sight(screen) as pilot:
        await pilot.press(*typed, "enter")
        await pilot.pause()
        assert pilot.app.results == result
        if not result:
            assert "type the name of the environment to go on" in text_of(pilot.app)


async def test_a_name_typed_ahead_does_not_count() -> None:
    clock = Clock()
    verbs = ScriptedVerbs(plan=plan(planned("web")))
    async with in_sight(plan_screen(verbs, typed=True, clock=clock), clock) as pilot:
        await pilot.press(*"production", "enter")
        await pilot.pause()
        assert pilot.app.results == []
        assert pilot.app.screen.query_one(Input).value == ""


async def test_no_name_is_asked_for_when_there_is_nothing_to_do() -> None:
    verbs = ScriptedVerbs(plan=plan(planned("web", action="leave")))
    async with in_sight(plan_screen(verbs, typed=True)) as pilot:
        assert "Type production" not in text_of(pilot.app)
        await pilot.press("q")
        await pilot.pause()
        assert pilot.app.results == [False]


async def test_a_long_plan_is_scrolled_and_its_keys_stay_in_sight() -> None:
    verbs = ScriptedVerbs(plan=plan(*(planned(f"service{at}") for at in range(20))))
    for typed in (False, True):
        async with in_sight(plan_screen(verbs, typed=typed)) as pilot:
            assert "enter run it" in text_of(pilot.app)
            assert "usually takes" not in text_of(pilot.app)
            for _ in range(10):
                await pilot.press("pagedown")
            await pilot.pause()
            assert "usually takes" in text_of(pilot.app)
            assert "enter run it" in text_of(pilot.app)


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_plan_shows_any_text(text: str) -> None:
    verbs = ScriptedVerbs(plan=plan(planned(text, because=text), warnings=[text]))
    async with in_sight(plan_screen(verbs, glyphs=ASCII), size=(120, 35)) as pilot:
        assert f"!! {text}" in text_of(pilot.app)


async def test_an_error_with_markup_in_it_is_shown() -> None:
    error = EngineUnavailable("no engine at [/tmp/[red]", hint="start [it/]")
    async with in_sight(plan_screen(ScriptedVerbs(plan=error))) as pilot:
        assert "no engine at [/tmp/[red]" in text_of(pilot.app)
        assert "start [it/]" in text_of(pilot.app)


@pytest.mark.parametrize("size", [(80, 24), (60, 15), (200, 50)])
async def test_dialogs_in_ascii_at_every_size(size: tuple[int, int]) -> None:
    verbs = ScriptedVerbs(plan=plan(planned("web")))
    screens: list[Dialog[Any]] = [
        plan_screen(verbs, glyphs=ASCII), confirm(glyphs=ASCII), QuitScreen(ASCII),
    ]  # fmt: skip
    for screen in screens:
        async with in_sight(screen, size=size) as pilot:
            assert text_of(pilot.app).isascii()
            assert "esc" in text_of(pilot.app)
