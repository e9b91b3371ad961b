"""The variables: what is shown of them, and setting, removing, hiding and importing them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from textual.events import Key
from textual.widgets import Input

from core.errors import UsageError
from core.model import Trigger
from tests.tui import samples
from tests.tui.apps import Hand, ScriptedFeed, answers, dashboard, opened
from tests.tui.screens import replies
from tests.tui.screens.replies import HOSTILE, variable
from tests.tui.scripted_verbs import ScriptedVerbs
from tui.feed.recorder import Recorder, create
from tui.screens.value_area import ValueArea

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tui.app import DashboardApp

SECRET = "pa$$ w'ord\"#\\"


def shown(*found: dict[str, Any], **more: Any) -> DashboardApp:
    state = more.pop("state", samples.idle())
    variables = list(found) or replies.variables()
    return dashboard(state, ScriptedVerbs(**{**answers(), "variables": variables}), **more)


async def press(hand: Hand, *keys: str) -> None:
    for key in keys:
        await hand.press(key)
        await hand.settle()


async def in_variables(hand: Hand) -> None:
    await press(hand, "v")
    await hand.until(lambda: "VALUE" in hand.text and "loading" not in hand.text)


async def put(hand: Hand, text: str) -> None:
    """Pastes, as a terminal hands over many signs."""
    area = hand.app.screen.query_one(ValueArea)
    area.focus()
    area.insert(text)
    await hand.settle()


def rows(hand: Hand) -> list[list[str]]:
    return [line.split() for line in hand.text.splitlines()]


async def test_what_is_set_for_whom_and_whether_what_is_live_has_it() -> None:
    old, new = samples.before(300_000).isoformat(), samples.before(60).isoformat()
    services = samples.six()
    services["admin"] = replace(services["admin"], live=None)
    app = shown(
        variable("A", "info", updatedAt=new),
        variable("B", None, "web", updatedAt=old),
        variable("C", "one\ntwo\nthree", "api", updatedAt=new),
        variable("D", "", "admin", updatedAt=new),
        state=samples.state(services),
    )
    async with opened(app, size=(80, 24)) as hand:
        await in_variables(hand)
        found = [" ".join(row).removeprefix("▸ ") for row in rows(hand)]
        for row in (
            "A all services info 1m ago ↻ pending",
            "B web *** sensitive 3d 11h ago live",
            "C api one (+2 lines) 1m ago ↻ pending",
            "D admin empty 1m ago -",
        ):
            assert row in found
        assert "2 variables hold from the next deploy on: D deploys" in hand.text
        await press(hand, "D")
        await hand.until_on("PlanScreen")
        assert hand.asked("plan") == [[Trigger.DEPLOY, (), None]]


async def test_a_service_with_its_own_does_not_wait_for_that_of_the_environment() -> None:
    services = {name: samples.six()[name] for name in ("web",)}
    new, old = samples.before(60).isoformat(), samples.before(300_000).isoformat()
    found = (variable("A", "1", updatedAt=new), variable("A", "2", "web", updatedAt=old))
    async with opened(shown(*found, state=samples.state(services))) as hand:
        await in_variables(hand)
        assert "pending" not in hand.text


async def test_no_variables_says_how_to_set_one() -> None:
    verbs = ScriptedVerbs(**{**answers(), "variables": []})
    async with opened(dashboard(verbs=verbs)) as hand:
        await press(hand, "v")
        await hand.until(lambda: "no variable is set here: a sets one" in hand.text)


async def test_a_variable_is_added_for_a_service() -> None:
    async with opened(shown()) as hand:
        await in_variables(hand)
        await press(hand, "a", *"PORT_OF", "tab", "right", "tab", "tab", *"a b")
        await press(hand, "ctrl+j", "c", "enter")
        await hand.until_on("VariablesScreen")
        service = next(iter(samples.six()))
        assert hand.asked("set_variable") == [["PORT_OF", "a b\nc", service, False]]
        assert len(hand.asked("variables")) == 2, "the list is asked for again"


@pytest.mark.parametrize(("opening", "screen"), [("a", "VariableScreen"), ("i", "ImportScreen")])
async def test_what_follows_a_tab_at_once_is_not_for_the_field_before(
    opening: str, screen: str
) -> None:
    async with opened(shown()) as hand:
        await in_variables(hand)
        await press(hand, opening)
        await hand.until_on(screen)
        name = hand.app.screen.query_one(Input)
        before = name.value
        for key, sign in (("tab", None), ("x", "x"), ("shift+tab", None), ("y", "y")):
            hand.app.post_message(Key(key, sign))
        await hand.until(lambda: name.value != before)
        assert (name.value[-1], "x" in name.value) == ("y", False)


async def test_a_sensitive_value_is_never_seen() -> None:
    async with opened(shown()) as hand:
        await in_variables(hand)
        await press(hand, "a", *"KEY", "tab", "tab", "right", "tab")
        await put(hand, SECRET)
        assert "*" * len(SECRET) in hand.text
        area = hand.app.screen.query_one(ValueArea)
        area.select_all()
        copied: list[str] = []
        hand.app.copy_to_clipboard = copied.append  # type: ignore[method-assign, assignment]
        await press(hand, "ctrl+c", "ctrl+x")
        assert (copied, SECRET in hand.text) == ([], False)
        assert SECRET not in hand.app.export_screenshot()
        await press(hand, "enter")
        await hand.until_on("VariablesScreen")
        assert hand.asked("set_variable") == [["KEY", SECRET, None, True]]


async def test_what_was_seen_while_it_was_plain_is_hidden_once_it_is_not() -> None:
    async with opened(shown()) as hand:
        await in_variables(hand)
        await press(hand, "a", *"KEY")
        await put(hand, "swordfish")
        assert "swordfish" in hand.text
        await press(hand, "shift+tab", "right")
        assert "swordfish" not in hand.text


async def test_a_value_that_is_plain_is_changed_and_a_hidden_one_replaced() -> None:
    async with opened(shown()) as hand:
        await in_variables(hand)
        await press(hand, "down", "enter")
        await hand.until_on("VariableScreen")
        assert "info" in hand.text
        await press(hand, "end", "2", "enter")
        await hand.until_on("VariablesScreen")
        await press(hand, "up", "enter")
        await hand.until_on("VariableScreen")
        assert "what is typed replaces the hidden one" in hand.text
        await press(hand, "x", "enter")
        await hand.until_on("VariablesScreen")
        assert hand.asked("set_variable") == [
            ["LOG_LEVEL", "info2", None, False],
            ["DATABASE_PASSWORD", "x", None, True],
        ]


@pytest.mark.parametrize("value", ["a\r\nb\nc\r", "\u2028x\n", "tab\tand \x1b[31m", "日本\n"])
async def test_what_is_not_touched_stays_as_it_is(value: str) -> None:
    async with opened(shown(variable("A", value))) as hand:
        await in_variables(hand)
        await press(hand, "enter")
        await hand.until_on("VariableScreen")
        assert "\x1b" not in hand.text
        await press(hand, "shift+tab", "right", "tab", "enter")
        await hand.until_on("VariablesScreen")
        assert hand.asked("set_variable") == [["A", value, None, True]]


async def test_what_is_refused_stays_to_be_mended() -> None:
    refused = UsageError("1A cannot be a variable", hint="use letters, digits and _")
    async with opened(shown()) as hand:
        hand.verbs.answers["set_variable"] = refused
        await in_variables(hand)
        await press(hand, "a", "enter", "enter")
        assert "type a name first" in hand.text
        await press(hand, *"1A", "tab", "tab", "tab", *"value", "enter")
        await hand.until(lambda: "1A cannot be a variable" in hand.text)
        assert "use letters, digits and _" in hand.text
        assert hand.screen_name == "VariableScreen"
        assert hand.app.screen.query_one(ValueArea).value == "value"


@pytest.mark.parametrize(
    ("key", "question", "verb", "asked"),
    [
        ("u", "Remove LOG_LEVEL?", "remove_variable", ["LOG_LEVEL", None]),
        ("m", "Mark LOG_LEVEL as", "set_variable", ["LOG_LEVEL", "info", None, True]),
    ],
)
async def test_what_cannot_be_undone_asks(
    key: str, question: str, verb: str, asked: Sequence[Any]
) -> None:
    async with opened(shown()) as hand:
        await in_variables(hand)
        await press(hand, "down", key)
        await hand.until_on("ConfirmScreen")
        assert question in hand.text
        await press(hand, "enter")
        assert hand.asked(verb) == []
        await press(hand, key, "y")
        await hand.until(lambda: hand.asked(verb) == [list(asked)])


@pytest.mark.parametrize("is_sensitive", [False, True])
async def test_a_file_is_read_looked_at_and_imported(tmp_path: Path, is_sensitive: bool) -> None:
    (tmp_path / "dev.env").write_text("A=1\nB='pa$$ word'\n")
    state = samples.idle()
    state = replace(state, place=replace(state.place, root=str(tmp_path)))
    async with opened(shown(state=state)) as hand:
        await in_variables(hand)
        await press(hand, "i")
        await hand.until_on("ImportScreen")
        await press(hand, "enter")
        await hand.until(lambda: "cannot read .env" in hand.text)
        hand.app.screen.query_one("#file", Input).value = "dev.env"
        await press(hand, "enter")
        await hand.until(lambda: "2 variables: A and B" in hand.text)
        assert "pa$$" not in hand.text
        assert hand.asked("import_variables") == []
        if is_sensitive:
            await press(hand, "tab", "tab", "right")
            assert "sensitive: never shown again" in hand.text
        await press(hand, "enter")
        await hand.until_on("VariablesScreen")
        found = {"A": "1", "B": "pa$$ word"}
        assert hand.asked("import_variables") == [[found, None, is_sensitive]]


async def test_a_file_that_is_wrong_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\n2B=x\n")
    state = samples.idle()
    state = replace(state, place=replace(state.place, root=str(tmp_path)))
    async with opened(shown(state=state)) as hand:
        await in_variables(hand)
        await press(hand, "i", "enter")
        await hand.until(lambda: ".env:2:1" in hand.text)
        (tmp_path / ".env").write_bytes(b"\xff")
        await press(hand, "enter")
        await hand.until(lambda: ".env is not UTF-8" in hand.text)


async def test_a_read_only_dashboard_shows_and_changes_nothing() -> None:
    async with opened(shown(is_read_only=True)) as hand:
        await in_variables(hand)
        for key in ("a", "enter", "u", "m", "i"):
            await press(hand, key)
            assert hand.screen_name == "VariablesScreen"
        assert "LOG_LEVEL" in hand.text
        assert "add" not in hand.text.splitlines()[-1]


@pytest.mark.parametrize("text", HOSTILE)
async def test_any_name_and_value_stays_text(text: str) -> None:
    async with opened(shown(variable("A", text, text)), size=(80, 24)) as hand:
        await in_variables(hand)
        assert text[:4] in hand.text
        await press(hand, "u")
        await hand.until_on("ConfirmScreen")
        assert f"It is set for {text}."[:20] in hand.text


@pytest.mark.parametrize("text", ["\x1b[31mred\x07", "\x9b1mred"])
async def test_control_codes_of_a_value_never_reach_the_terminal(text: str) -> None:
    async with opened(shown(variable("A", text))) as hand:
        await in_variables(hand)
        assert "red" in hand.text
        await press(hand, "enter")
        await hand.until_on("VariableScreen")
        assert not {"\x1b", "\x07", "\x9b"} & set(hand.text)


async def test_a_recording_has_no_values(tmp_path: Path) -> None:
    file = tmp_path / "recording.ndjson"
    feed = Recorder(ScriptedFeed(), create(file), "shop", "production")
    app = shown(variable("A", "plainly-seen"))
    app.feed = feed
    async with opened(app) as hand:
        await in_variables(hand)
        assert "plainly-seen" in hand.text
        await press(hand, "a", *"KEY", "tab", "tab", "right", "tab")
        await put(hand, "swordfish")
        await press(hand, "enter")
        await hand.until(lambda: hand.asked("set_variable"))
    await feed.run(lambda _: None)
    recorded = file.read_text()
    assert '"shop"' in recorded
    assert "plainly-seen" not in recorded
    assert "swordfish" not in recorded
