"""The whole dashboard in front of a scripted agent: conversations from their key to their end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from textual.widgets import Input

from core import __version__
from core.errors import AgentUnavailable, CompartmentError, ConfigError, TargetBusy
from core.model import Problem, Trigger
from tests.tui import samples
from tests.tui.apps import Hand, answers, become, dashboard, opened
from tests.tui.screens import replies
from tests.tui.scripted_verbs import ScriptedVerbs
from tui.choices import Choices
from tui.feed.messages import Ended, LinkChanged
from tui.going import Going
from tui.keys import KEYS
from tui.refused_verbs import RefusedVerbs
from tui.widgets.services_table import ServicesTable

if TYPE_CHECKING:
    from pathlib import Path

    from tui.view.state import State

RUN = samples.RUN_ID
GONE = AgentUnavailable("the agent does not answer", hint="start it: compartment agent start")


def scripted(**changes: Any) -> ScriptedVerbs:
    return ScriptedVerbs(**{**answers(), **changes})


def in_staging(state: State) -> State:
    return replace(state, place=replace(state.place, environment="staging"))


async def press(hand: Hand, *keys: str) -> None:
    """Presses keys one by one, each on what the one before has led to."""
    for key in keys:
        await hand.press(key)
        await hand.settle()


# Dialogs, and every way out of them


SUBMITS = [
    ("D", ["enter"], [Trigger.DEPLOY, (), None]),
    ("R", ["enter"], [Trigger.REDEPLOY, (), None]),
    ("B", [*"production", "enter"], [Trigger.ROLLBACK, (), None]),
    ("r", ["y"], [Trigger.REDEPLOY, ("web",), None]),
    ("r", ["right", "enter"], [Trigger.REDEPLOY, ("web",), None]),
    ("b", ["y"], [Trigger.ROLLBACK, ("web",), None]),
]


@pytest.mark.parametrize(("key", "answer", "submitted"), SUBMITS)
async def test_a_yes_begins_the_run(key: str, answer: list[str], submitted: list[Any]) -> None:
    async with opened(dashboard()) as hand:
        await press(hand, key, *answer)
        await hand.until(lambda: hand.asked("submit") == [submitted])
        assert hand.screen_name == "MainScreen"
        assert hand.toasts == []


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        *((key, [answer]) for key in "DRB" for answer in ("escape",)),
        *((key, ["q"]) for key in "DR"),
        *((key, [answer]) for key in "rb" for answer in ("n", "escape", "q", "enter")),
        *(("x", [answer]) for answer in ("n", "escape", "q", "enter")),
    ],
)
async def test_any_other_answer_changes_nothing(key: str, answer: list[str]) -> None:
    state = samples.deploying() if key == "x" else samples.idle()
    async with opened(dashboard(state)) as hand:
        await press(hand, key)
        assert hand.screen_name != "MainScreen"
        await press(hand, *answer)
        await hand.until_on("MainScreen")
        assert [name for name, *_ in hand.verbs.asked if name in ("submit", "cancel")] == []
        assert hand.toasts == []


async def test_a_wide_rollback_of_production_wants_its_name() -> None:
    async with opened(dashboard()) as hand:
        await press(hand, "B", "enter")
        assert hand.screen_name == "PlanScreen"
        assert "type the name of the environment" in hand.text
        await press(hand, *"staging", "enter")
        assert hand.screen_name == "PlanScreen"
        assert hand.asked("submit") == []


async def test_other_environments_are_rolled_back_without_typing() -> None:
    async with opened(dashboard(in_staging(samples.idle()))) as hand:
        await press(hand, "B", "enter")
        await hand.until(lambda: hand.asked("submit") == [[Trigger.ROLLBACK, (), None]])


async def test_a_deployment_chosen_in_the_history_is_named() -> None:
    async with opened(dashboard()) as hand:
        await press(hand, "H")
        await hand.until(lambda: "dep_web0" in hand.text)
        await press(hand, "b", "y")
        await hand.until(lambda: bool(hand.asked("submit")))
        assert hand.asked("submit") == [[Trigger.ROLLBACK, ("web",), "dep_web0"]]
        assert hand.screen_name == "HistoryScreen"


async def test_cancelling() -> None:
    async with opened(dashboard(samples.deploying())) as hand:
        await press(hand, "x", "y")
        await hand.until(lambda: hand.asked("cancel") == [[RUN]])


async def test_who_redeploys_during_a_run_is_told_that_it_waits() -> None:
    async with opened(dashboard(samples.deploying())) as hand:
        await press(hand, "r")
        assert f"It waits its turn: deploy {RUN} is ahead." in hand.text


@pytest.mark.parametrize(
    ("keys", "screen"),
    [
        (["H"], "HistoryScreen"),
        (["equals_sign"], "DiffScreen"),
        (["exclamation_mark"], "EventsScreen"),
        (["question_mark"], "HelpScreen"),
        (["enter"], "ServiceScreen"),
        (["0"], "EnvironmentsScreen"),
        (["T"], "ThemeScreen"),
        (["2", "enter"], "LineScreen"),
        (["U"], "RoutesScreen"),
        (["colon"], "CommandPalette"),
    ],
)
async def test_screens_are_left_by_escape_and_where_nothing_is_typed_by_q(
    keys: list[str], screen: str
) -> None:
    async with opened(dashboard()) as hand:
        for way_out in ("escape", "q"):
            await press(hand, *keys)
            await hand.until_on(screen)
            has_input = isinstance(hand.app.focused, Input)
            await press(hand, way_out)
            if has_input and way_out == "q":
                assert hand.screen_name == screen
            else:
                await hand.until_on("MainScreen")
        assert not hand.is_left


@pytest.mark.parametrize("key", ["H", "question_mark", "U", "exclamation_mark", "0", "T"])
async def test_a_screen_opens_once(key: str) -> None:
    async with opened(dashboard()) as hand:
        await press(hand, key)
        depth = len(hand.app.screen_stack)
        await press(hand, key, "f1")
        assert len(hand.app.screen_stack) <= depth + (key not in ("question_mark", "0", "T"))


async def test_keys_of_the_main_screen_do_nothing_under_a_dialog() -> None:
    async with opened(dashboard()) as hand:
        await press(hand, "r", "D", "H", "z", "2", "B")
        assert hand.screen_name == "ConfirmScreen"
        assert hand.asked("plan") == []
        await press(hand, "escape")
        assert hand.app.focused is hand.app.main.services
        assert hand.app.screen.maximized is None


async def test_what_was_typed_ahead_is_no_answer() -> None:
    for key, answer, dialog in (("r", "y", "ConfirmScreen"), ("D", "enter", "PlanScreen")):
        async with opened(dashboard(), is_guarded=True) as hand:
            await press(hand, key, answer, "escape", "q")
            assert (hand.screen_name, hand.asked("submit")) == (dialog, [])


# A slow agent


async def test_a_second_press_while_the_agent_plans_asks_nothing_twice() -> None:
    async with opened(dashboard()) as hand:
        hand.verbs.is_open.clear()
        await hand.press("D", "D", "R")
        await hand.settle()
        assert hand.asked("plan") == [[Trigger.DEPLOY, (), None]]
        await press(hand, "enter")  # nothing is shown yet that could be said yes to
        hand.verbs.is_open.set()
        await hand.until(lambda: "Deploy 1 service" in hand.text)
        assert (hand.screen_name, hand.asked("submit")) == ("PlanScreen", [])


async def test_a_second_press_while_the_agent_begins_the_run_asks_nothing_twice() -> None:
    async with opened(dashboard()) as hand:
        await press(hand, "D")
        await hand.until(lambda: "Deploy 1 service" in hand.text)
        hand.verbs.is_open.clear()
        await press(hand, "enter", "D", "r")
        assert hand.screen_name == "MainScreen"
        hand.verbs.is_open.set()
        await hand.settle()
        assert len(hand.asked("plan")) == len(hand.asked("submit")) == 1
        await press(hand, "r")
        assert hand.screen_name == "ConfirmScreen"


async def test_an_agent_that_never_answers_does_not_hold_who_leaves() -> None:
    async with opened(dashboard()) as hand:
        await press(hand, "D")
        hand.verbs.is_open.clear()
        await press(hand, "enter", "q")
        await hand.until(lambda: hand.is_left)


# What cannot be done is said


ERROR = ConfigError(
    "compartment.yml has 2 problems",
    hint="mend them, then deploy again",
    problems=[
        Problem("compartment.yml", 3, 9, "[red] is no port", "[/]"),
        Problem("compartment.yml", 1, 1, "it has no name"),
    ],
)


def test_the_sample_error_looks_like_markup() -> None:
    assert "[red]" in str(ERROR.problems[0])


@pytest.mark.parametrize("verb", ["submit", "cancel"])
async def test_an_error_of_a_verb_is_told_with_its_problems_and_its_hint(verb: str) -> None:
    state = samples.deploying()
    async with opened(dashboard(state, scripted(**{verb: ERROR}))) as hand:
        await press(hand, "r" if verb == "submit" else "x", "y")
        await hand.until(lambda: bool(hand.toasts))
        lines = [ERROR.message, *map(str, ERROR.problems), ERROR.hint]
        assert hand.toasts == ["\n".join(map(str, lines))]
        text = hand.text
        for part in ("2 problems", ":3:9: [red] is no port ([/])", "no name", "mend them, then"):
            assert part in text


@pytest.mark.parametrize("text", replies.HOSTILE)
async def test_errors_may_hold_any_text(text: str) -> None:
    error = CompartmentError(f"failed: {text}", hint=text)
    async with opened(dashboard(verbs=scripted(submit=error, plan=error))) as hand:
        await press(hand, "r", "y")
        await hand.until(lambda: hand.toasts == [f"failed: {text}\n{text}"])
        await press(hand, "D")
        await hand.until_on("PlanScreen")


async def test_services_may_have_any_name() -> None:
    async with opened(dashboard(samples.odd_names()), size=(200, 50)) as hand:
        await press(hand, "g")
        for name in hand.app.main.services.order:
            await hand.until(lambda name=name: hand.app.selected == name)  # type: ignore[misc]
            for keys in ("ry", "H", "=", "o", "l"):
                await press(hand, *("equals_sign" if key == "=" else key for key in keys))
                if hand.screen_name != "MainScreen":
                    await press(hand, "escape")
                await hand.until_on("MainScreen")
            await press(hand, "l", "j")
        assert [asked[1] for asked in hand.asked("submit")] == [
            (name,) for name in hand.app.main.services.order
        ]


@pytest.mark.parametrize(
    ("state", "service", "key", "told"),
    [
        (samples.never_deployed, "web", "b", "web is not live: there is nothing to roll back"),
        (samples.never_deployed, "web", "equals_sign", "web has no earlier deployment"),
        (samples.never_deployed, "web", "o", "web has no URL"),
        (samples.idle, "worker", "o", "worker has no URL: it is not live, or no port leads to it"),
        (samples.idle, "web", "E", "there is no project file here to edit"),
        (samples.draining, "web", "x", "is past the switch and goes on to its end"),
    ],
)
async def test_why_a_key_does_nothing_is_told(
    state: Any, service: str, key: str, told: str
) -> None:
    async with opened(dashboard(state())) as hand:
        hand.app.selected = service
        await press(hand, key)
        await hand.until(lambda: bool(hand.toasts))
        assert told in hand.toasts[0]
        assert hand.screen_name == "MainScreen"


async def test_what_no_browser_speaks_is_only_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    opened_urls: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened_urls.append)
    async with opened(dashboard(samples.compose())) as hand:
        for name, url in (("db", "tcp://127.0.0.1:5433"), ("app", "http://localhost")):
            hand.app.selected = name
            await press(hand, "o")
            await hand.until(lambda url=url: url in hand.toasts)  # type: ignore[misc]
        await hand.until(lambda: opened_urls == ["http://localhost"])


async def test_what_is_on_a_server_is_not_looked_for_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    opened_urls: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened_urls.append)
    async with opened(dashboard(samples.operated(), server="me@server")) as hand:
        hand.app.selected = "admin"
        await press(hand, "o")
        await hand.until(lambda: hand.toasts)
        assert "ssh me@server -N -L 8080:127.0.0.1:8080" in hand.toasts[0]
        await press(hand, "E")
        await hand.until(lambda: len(hand.toasts) == 2)
        assert hand.toasts[1] == "the files of this project are on me@server: edit them there"
        hand.app.selected = "web"
        await press(hand, "o")
        await hand.until(lambda: opened_urls)
    assert opened_urls == ["https://shop.example.com"]


async def test_an_agent_of_a_later_version_is_told_of_once() -> None:
    place = {"project": "shop", "environment": "production"}
    async with opened(dashboard()) as hand:
        for version in (__version__, "99.1", "99.1", __version__):
            await hand.take({"seq": 1, "environment": {**place, "agentVersion": version}})
        assert len(hand.toasts) == 1
        assert hand.toasts[0].startswith("the agent is of version 99.1 now")
    async with opened(dashboard(is_replay=True)) as hand:
        await hand.take({"seq": 1, "environment": {**place, "agentVersion": "99.1"}})
        assert hand.toasts == []


async def test_an_editor_that_makes_no_sense_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "compartment.yml").write_text("name: shop\n")
    monkeypatch.setenv("VISUAL", "vi 'unclosed")
    state = samples.idle()
    state = replace(state, place=replace(state.place, root=str(tmp_path)))
    async with opened(dashboard(state)) as hand:
        await press(hand, "E")
        await hand.until(lambda: bool(hand.toasts))
        assert hand.toasts[0] == "cannot start the editor vi 'unclosed: No closing quotation"


async def test_a_service_that_was_rolled_out_once_cannot_be_rolled_back() -> None:
    state = samples.idle()
    web = replace(state.services["web"], previous=None)
    state = replace(state, services={**state.services, "web": web})
    async with opened(dashboard(state)) as hand:
        await press(hand, "b")
        assert hand.toasts == ["web has no earlier deployment to roll back to"]


async def test_a_shell_that_is_refused() -> None:
    busy = TargetBusy("web has no live instance", hint="deploy it first")
    async with opened(dashboard(verbs=scripted(shell=busy))) as hand:
        await press(hand, "e")
        await hand.until(lambda: hand.toasts == ["web has no live instance\ndeploy it first"])
        assert hand.asked("shell") == [["web"]]


async def test_without_any_service_keys_say_so() -> None:
    state = samples.state({}, run=None)
    async with opened(dashboard(state)) as hand:
        for key in ("r", "b", "o", "e", "equals_sign"):
            await press(hand, key)
        assert set(hand.toasts) == {"no service is selected"}
        assert hand.screen_name == "MainScreen"


async def test_warnings_of_the_start_are_told() -> None:
    async with opened(dashboard(warnings=["keys.toml:3: there is no key [/red]"])) as hand:
        assert hand.toasts == ["keys.toml:3: there is no key [/red]"]
        assert "there is no key [/red]" in hand.text


# A run that ends


FINISHED = replies.event("RunFinished", 0, "deploy [/] failed\nboom", status="failed", seq=9)


async def test_the_end_of_a_run_is_told_where_it_is_not_seen() -> None:
    async with opened(dashboard(samples.deploying())) as hand:
        await hand.take({"events": []})
        await press(hand, "H")
        await hand.until_on("HistoryScreen")
        asked = len(hand.asked("runs"))
        await hand.take({"events": [FINISHED]})
        assert hand.toasts == ["deploy [/] failed"]
        assert next(iter(hand.app._notifications)).severity == "error"
        await hand.until(lambda: len(hand.asked("runs")) > asked)


async def test_the_end_of_a_run_is_not_told_where_it_is_seen() -> None:
    async with opened(dashboard(samples.deploying())) as hand:
        await hand.take({"events": []}, {"events": [FINISHED]})
        await hand.until(lambda: bool(hand.asked("runs")))
        assert hand.toasts == []


async def test_ends_before_the_start_are_no_news() -> None:
    async with opened(dashboard(samples.deploying())) as hand:
        await press(hand, "H")
        await hand.take({"events": [FINISHED]})
        assert hand.toasts == []


# Leaving


async def test_leaving_while_nothing_goes_on() -> None:
    async with opened(dashboard()) as hand:
        await press(hand, "q")
        assert (hand.app.return_code, hand.app.return_value) == (0, None)


async def test_nothing_is_shown_any_more_on_the_way_out() -> None:
    async with opened(dashboard()) as hand:
        await press(hand, "H")
        hand.app.exit()
        ticks = hand.app._ticks
        await hand.settle()
        assert hand.app._ticks == ticks


async def test_leaving_a_run_that_goes_on() -> None:
    async with opened(dashboard(samples.deploying())) as hand:
        await press(hand, "q")
        assert hand.screen_name == "QuitScreen"
        assert not hand.is_left
        await press(hand, "l")
        await hand.until(lambda: hand.is_left)
        assert hand.asked("cancel") == []


async def test_leaving_when_the_run_has_ended() -> None:
    async with opened(dashboard(samples.deploying())) as hand:
        await press(hand, "q", "w")
        await hand.until(lambda: "leaves when the run ends" in hand.text)
        assert not hand.is_left
        become(hand.app, samples.idle())
        await hand.until(lambda: hand.is_left)
        assert hand.asked("cancel") == []


async def test_leaving_with_a_run_that_is_cancelled() -> None:
    async with opened(dashboard(samples.deploying())) as hand:
        await press(hand, "q", "x")
        await hand.until(lambda: hand.asked("cancel") == [[RUN]])
        assert not hand.is_left
        become(hand.app, samples.cancelled())
        await hand.until(lambda: hand.is_left)


async def test_a_cancel_that_is_refused_does_not_lose_the_person() -> None:
    late = CompartmentError("the routes are switched", hint="roll back when it is done")
    async with opened(dashboard(samples.deploying(), scripted(cancel=late))) as hand:
        await press(hand, "q", "x")
        await hand.until(lambda: bool(hand.toasts))
        assert hand.toasts == ["the routes are switched\nroll back when it is done"]
        assert not hand.is_left


async def test_staying_after_all() -> None:
    async with opened(dashboard(samples.deploying())) as hand:
        await press(hand, "q", "escape")
        assert (hand.screen_name, hand.is_left) == ("MainScreen", False)
        assert not hand.app.quits_when_idle
        await press(hand, "q")
        assert hand.screen_name == "QuitScreen"


async def test_leaving_a_lost_agent_asks_nothing() -> None:
    async with opened(dashboard(samples.lost())) as hand:
        await press(hand, "q")
        assert hand.is_left


async def test_a_widget_that_breaks_ends_the_app_with_its_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = dashboard()

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a broken widget")

    with pytest.raises(ZeroDivisionError, match="a broken widget"):  # noqa: PT012 - it ends later
        async with opened(app) as hand:
            monkeypatch.setattr(ServicesTable, "render_line", broken)
            app.main.services.refresh()
            await hand.until(lambda: hand.is_left)
    assert isinstance(app._exception, ZeroDivisionError)


# Other environments, themes, and what is remembered


async def test_another_environment_is_what_the_app_returns() -> None:
    async with opened(dashboard()) as hand:
        await press(hand, "0")
        await hand.until(lambda: "staging" in hand.text)
        await press(hand, "down", "enter")
        await hand.until(lambda: hand.is_left)
        assert hand.app.return_value == Going("shop", "staging")


async def test_the_same_environment_is_stayed_in() -> None:
    async with opened(dashboard()) as hand:
        await press(hand, "0")
        await hand.until(lambda: "staging" in hand.text)
        await press(hand, "enter")
        await hand.until_on("MainScreen")
        assert not hand.is_left


async def test_an_environment_that_is_new() -> None:
    async with opened(dashboard()) as hand:
        await press(hand, "0")
        await hand.until(lambda: "staging" in hand.text)
        await press(hand, "n", *"qa-2", "enter")
        await hand.until(lambda: hand.is_left)
        assert hand.app.return_value == Going("shop", "qa-2")


async def test_a_theme_is_tried_on_and_taken_back() -> None:
    async with opened(dashboard()) as hand:
        before = hand.app.theme
        await press(hand, "T", "down")
        assert hand.app.theme != before
        await press(hand, "escape")
        assert (hand.app.theme, hand.app.choices.theme) == (before, before)
        await press(hand, "T", "down", "enter")
        assert hand.app.theme == hand.app.choices.theme != before


async def test_the_next_start_looks_as_the_last_one(tmp_path: Any) -> None:
    path = tmp_path / "dashboard.json"
    async with opened(dashboard(choices=Choices.load(path))) as hand:
        await press(hand, "S", "underscore", "backslash", "2", "t", "w", "T", "down", "enter")
        theme, splits = hand.app.theme, dict(hand.app.main.splits)
    async with opened(dashboard(choices=Choices.load(path))) as hand:
        main = hand.app.main
        assert hand.app.theme == theme
        assert main.services.sorted_by == "attention"
        assert (main.is_detail_hidden, main.splits) == (True, splits)
        assert splits == {"normal": -1}
        assert not main.detail.is_on_screen
        assert all(pane._is_wrapped for pane in main.log_panes)
        assert hand.toasts == []


# Read-only


READING = [key for key in KEYS if not key.changes]
CHANGING = [key for key in KEYS if key.changes]


@pytest.mark.parametrize("key", [key for key in CHANGING if key.id.startswith("app.")])
async def test_read_only_has_no_key_that_changes_anything(key: Any) -> None:
    app = dashboard(samples.deploying(), is_read_only=True)
    async with opened(app, size=(200, 50)) as hand:
        assert not any(active.binding.id == key.id and active.enabled
                       for active in hand.app.screen.active_bindings.values())  # fmt: skip
        await press(hand, key.keys)
        assert (hand.screen_name, hand.toasts, hand.verbs.asked) == ("MainScreen", [], [])


async def test_read_only_offers_nothing_that_changes_anything() -> None:
    async with opened(dashboard(samples.deploying(), is_read_only=True), size=(200, 80)) as hand:
        footer = hand.text.splitlines()[-1]
        assert "quit" in footer
        for word in ("deploy", "roll back", "cancel", "shell"):
            assert word not in footer
        await press(hand, "question_mark")
        assert READING[0].help[:20] in hand.text
        for key in CHANGING:
            assert key.help[:20] not in hand.text
        await press(hand, "escape", "colon", *"web")
        await hand.until(lambda: "only web" in hand.text)
        for verb in ("redeploy web", "roll back web", "shell web"):
            assert verb not in hand.text


async def test_read_only_does_not_roll_back_from_the_history() -> None:
    async with opened(dashboard(is_read_only=True)) as hand:
        await press(hand, "H")
        await hand.until(lambda: "dep_web0" in hand.text)
        assert "roll back" not in hand.text.splitlines()[-1]
        await press(hand, "b")
        assert (hand.screen_name, hand.asked("submit")) == ("HistoryScreen", [])


# The palette


@pytest.mark.parametrize(
    ("typed", "screen"),
    [
        ("redeploy web", "ConfirmScreen"),
        ("roll back api", "ConfirmScreen"),
        ("history", "HistoryScreen"),
        ("deploy", "PlanScreen"),
        ("routes", "RoutesScreen"),
    ],
)
async def test_the_palette_runs_verbs(typed: str, screen: str) -> None:
    async with opened(dashboard()) as hand:
        await press(hand, "colon", *typed)
        await hand.until(lambda: typed in hand.text)
        await press(hand, "enter")
        if hand.screen_name == "CommandPalette":
            await press(hand, "enter")
        await hand.until_on(screen)


async def test_the_palette_names_services_themes_and_environments() -> None:
    async with opened(dashboard()) as hand:
        for typed, is_done in (
            ("only api", lambda: hand.app.only == "api"),
            ("theme nord", lambda: hand.app.theme == hand.app.choices.theme == "nord"),
            ("staging", lambda: hand.app.return_value == Going("shop", "staging")),
        ):
            await press(hand, "colon", *typed)
            await hand.until(lambda typed=typed: hand.text.count(typed) > 1)  # type: ignore[misc]
            await press(hand, "enter")
            await hand.until(is_done)


# What the feed tells


async def test_a_lost_agent_is_seen_at_once_and_found_again() -> None:
    async with opened(dashboard()) as hand:
        hand.app.take(LinkChanged(samples.NOW, is_up=False, reason="it does not answer"))
        await hand.until(lambda: "it does not answer" in hand.text)
        hand.app.take(LinkChanged(samples.NOW, is_up=True))
        await hand.until(lambda: "it does not answer" not in hand.text)
        assert hand.asked("runs") == [[]]


async def test_without_an_answer_the_history_has_what_the_feed_told() -> None:
    async with opened(dashboard(verbs=scripted(runs=GONE)), size=(200, 50)) as hand:
        hand.app.take(LinkChanged(samples.NOW, is_up=True))
        await hand.until(lambda: bool(hand.asked("runs")))
        assert hand.toasts == []
        assert hand.app.main.history.order == [RUN]


async def test_news_that_come_at_once_ask_once() -> None:
    async with opened(dashboard()) as hand:
        for _ in range(3):
            hand.app.take(LinkChanged(samples.NOW, is_up=True))
        await hand.until(lambda: bool(hand.asked("runs")))
        assert hand.asked("runs") == [[]]


async def test_a_recording_says_when_it_has_ended_and_can_be_looked_at() -> None:
    app = dashboard(is_read_only=True, notes=("replay",))
    app.verbs = RefusedVerbs()
    async with opened(app) as hand:
        hand.app.take(Ended())
        await hand.settle()
        assert hand.toasts == ["the recording has ended"]
        assert "replay" in hand.text.splitlines()[0]
        for key, screen in (
            ("H", "HistoryScreen"),
            ("enter", "ServiceScreen"),
            ("0", "EnvironmentsScreen"),
        ):
            await press(hand, key)
            await hand.until_on(screen)
            await press(hand, "escape")
        assert not hand.is_left


# Terminals that change


async def test_any_size_and_back() -> None:
    async with opened(dashboard(samples.deploying()), size=(200, 50)) as hand:
        await press(hand, "3")
        hand.app.selected = "api"
        for size in ((80, 24), (40, 10), (1, 1), (120, 35), (20, 60), (200, 50)):
            await hand.resize_terminal(*size)
            await hand.settle()
        assert hand.app.selected == "api"
        assert hand.app.focused is not None
        assert "1 services" in hand.text


async def test_too_small_says_so_and_keys_still_work() -> None:
    async with opened(dashboard(), size=(40, 10)) as hand:
        assert "40" in hand.text
        assert "1 services" not in hand.text
        await press(hand, "q")
        assert hand.is_left
