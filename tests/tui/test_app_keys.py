"""Every key of the table, pressed in the real app: what is so after it, and was not before."""

from __future__ import annotations

import signal
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from textual.drivers.headless_driver import HeadlessDriver
from textual.widgets import Input

from core.model import Trigger
from tests.tui import samples
from tests.tui.apps import Hand, answers, become, dashboard, opened
from tests.tui.scripted_verbs import ScriptedVerbs
from tests.tui.test_app_log_keys import LOG_DOES
from tests.tui.test_app_log_keys import lines as log_lines
from tui.app import DashboardApp
from tui.keys import KEYS, Scope, keys_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual._compositor import CompositorUpdate
    from textual.screen import Screen

    from tui.view.state import State
    from tui.widgets.log_pane import LogPane

WIDE = (200, 50)


@dataclass(frozen=True, slots=True)
class Does:
    """`of` gives something else before the key, and `becomes` after it."""

    of: Callable[[Hand], object]
    becomes: object = True
    first: tuple[str, ...] = ()
    """Keys that lead to where it is pressed."""
    when: Callable[[Hand], object] = lambda _: True
    """What has to be there before it is pressed."""
    state: Callable[[], State] = samples.idle


def opens(screen: str, **options: Any) -> Does:
    return Does(lambda hand: hand.screen_name, screen, **options)


def plans(trigger: Trigger) -> Does:
    return Does(
        lambda hand: (hand.screen_name, hand.asked("plan")), ("PlanScreen", [[trigger, (), None]])
    )


def asks(question: str, **options: Any) -> Does:
    return Does(
        lambda hand: hand.screen_name == "ConfirmScreen" and question in hand.text, **options
    )


def focuses(number: int, *first: str) -> Does:
    return Does(lambda hand: number_of(hand), number, first)


def number_of(hand: Hand) -> int | None:
    """The number of the pane that has the focus."""
    main = hand.app.main
    panes = (main.services, *main.log_panes, main.detail, main.history)
    return next((number for number, pane in enumerate(panes, 1) if pane.has_focus), None)


def is_on_cron(hand: Hand) -> bool:
    return hand.app.selected == "cron"


def in_variables(does: Does) -> Does:
    """Pressed on the first of the variables."""
    return replace(does, first=("v",), when=lambda hand: "DATABASE_PASSWORD" in hand.text)


def has_loaded_run(hand: Hand) -> bool:
    return "dep_web0" in hand.text


DOES: dict[str, Does] = {
    "app.deploy": plans(Trigger.DEPLOY),
    "app.redeploy": asks("Redeploy web?"),
    "app.redeploy_all": plans(Trigger.REDEPLOY),
    "app.rollback": asks("Roll web back?"),
    "app.rollback_all": plans(Trigger.ROLLBACK),
    "app.promote": opens("PromoteScreen"),
    "app.hold": Does(lambda hand: hand.asked("hold"), [[samples.RUN_ID]], state=samples.deploying),
    "app.execute": asks("Run cron now?", first=("k", "k"), when=is_on_cron),
    "app.end": asks("End what cron runs?", first=("k", "k"), when=is_on_cron),
    "app.variables": opens("VariablesScreen"),
    "app.cancel": asks("Cancel deploy drn_4c1ak2m9q7xz?", state=samples.deploying),
    "app.shell": Does(lambda _: written("shell.txt"), "in web's folder\n"),
    "app.edit": Does(lambda _: written("compartment.yml"), "name: edited\n"),
    "app.open": Does(lambda hand: hand.toasts, ["http://web-shop.localhost:8080"]),
    "app.only": Does(
        lambda hand: [pane.viewport.filter.only for pane in hand.app.main.log_panes], ["web"] * 3
    ),
    "app.search": Does(
        lambda hand: isinstance(hand.app.focused, Input) and "search" in hand.text, first=("2",)
    ),
    "app.zoom": Does(lambda hand: hand.app.screen.maximized is hand.app.main.services),
    "app.help": opens("HelpScreen"),
    "app.palette": opens("CommandPalette"),
    "app.quit": Does(lambda hand: hand.app.return_code, 0),
    "app.history": opens("HistoryScreen"),
    "app.diff": Does(
        lambda hand: (hand.screen_name, hand.asked("inspect")),
        ("DiffScreen", [["dep_2b10x7q2m4kz"], ["dep_3f21x7q2m4kz"]]),
    ),
    "app.routes": opens("RoutesScreen"),
    "app.networks": opens("NetworksScreen"),
    "app.events": opens("EventsScreen"),
    "app.environments": opens("EnvironmentsScreen"),
    "app.theme": opens("ThemeScreen"),
    "app.detail": Does(lambda hand: hand.app.main.detail.is_on_screen, False),
    "app.taller": Does(lambda hand: hand.app.main.splits, {"wide": -1}),
    "app.shorter": Does(lambda hand: hand.app.main.splits, {"wide": 1}),
    "app.screenshot": Does(lambda _: "services" in written("compartment-20261121-140248.svg")),
    "app.mouse": Does(lambda hand: hand.app.mouse.is_lent),
    "app.suspend": Does(lambda _: stops, [signal.SIGTSTP]),
    "app.redraw": Does(
        lambda _: all(each in "".join(output) for each in samples.six()),
        when=lambda _: forget(output),
    ),
    "app.back": focuses(1, "3"),
    "app.next_pane": focuses(2),
    "app.previous_pane": focuses(6),
    "app.pane_1": focuses(1, "2"),
    **{f"app.pane_{number}": focuses(number) for number in range(2, 7)},
    "services.open": opens("ServiceScreen"),
    "services.down": Does(lambda hand: hand.app.selected, "worker"),
    "services.up": Does(lambda hand: hand.app.selected, "mailer"),
    "services.first": Does(lambda hand: hand.app.selected, "admin"),
    "services.last": Does(lambda hand: hand.app.selected, "worker"),
    "services.sort": Does(
        lambda hand: hand.app.main.services.order[0], "mailer", state=samples.deploying
    ),
    "history.back_to": asks(
        "Roll web back?", first=("H",), when=has_loaded_run
    ),
    "history.diff": Does(
        lambda hand: (hand.screen_name, hand.asked("inspect")),
        ("DiffScreen", [["dep_web0"], ["dep_web1"]]),
        first=("H",),
        when=has_loaded_run,
    ),
    "variables.edit": in_variables(opens("VariableScreen")),
    "variables.add": in_variables(opens("VariableScreen")),
    "variables.remove": in_variables(asks("Remove DATABASE_PASSWORD?")),
    "variables.sensitive": in_variables(
        Does(lambda hand: "DATABASE_PASSWORD is sensitive already" in hand.text)
    ),
    "variables.import": in_variables(opens("ImportScreen")),
}  # fmt: skip

EVERY_KEY = [(key.id, pressed) for key in KEYS for pressed in key.keys.split(",")]

stops: list[int] = []
output: list[str] = []


def forget(found: list[str]) -> bool:
    found.clear()
    return True


def written(name: str) -> str:
    file = Path(name)
    return file.read_text() if file.exists() else ""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that can be edited, and the current folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "compartment.yml").write_text("name: shop\n")
    monkeypatch.setenv("VISUAL", """sh -c 'echo "name: edited" > "$0"'""")
    monkeypatch.delenv("DISPLAY", raising=False)
    return tmp_path


@pytest.fixture
def lent_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Other programs may have the terminal, which is none here."""
    monkeypatch.setattr(DashboardApp, "suspend", lambda _: nullcontext())
    monkeypatch.setattr(HeadlessDriver, "can_suspend", property(lambda _: True))
    stops.clear()
    before = signal.signal(signal.SIGTSTP, lambda number, _: stops.append(number))
    yield
    signal.signal(signal.SIGTSTP, before)


@pytest.fixture
def read_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is sent to the terminal can be read."""

    def display(app: DashboardApp, _: Screen[Any], drawn: CompositorUpdate | None) -> None:
        if drawn is not None:
            output.append(drawn.render_segments(app.console))

    monkeypatch.setattr(DashboardApp, "_display", display)


def test_the_table_says_what_every_key_does() -> None:
    assert {**DOES, **LOG_DOES}.keys() == {key.id for key in KEYS}


@pytest.mark.usefixtures("lent_terminal", "read_output")
@pytest.mark.parametrize(("id_", "pressed"), [each for each in EVERY_KEY if each[0] in DOES])
async def test_what_a_key_does(id_: str, pressed: str, folder: Path) -> None:
    does = DOES[id_]
    found = does.state()
    shell = {
        "argv": ["/bin/sh", "-c", "echo $WHERE > shell.txt"],
        "cwd": str(folder),
        "environment": {"WHERE": "in web's folder"},
    }
    verbs = ScriptedVerbs(**{**answers(), "shell": shell})
    app = dashboard(replace(found, place=replace(found.place, root=str(folder))), verbs)
    async with opened(app, size=WIDE) as hand:
        await hand.press(*does.first)
        await hand.until(lambda: does.when(hand))
        assert does.of(hand) != does.becomes
        await hand.press(pressed)
        await hand.until(lambda: does.of(hand) == does.becomes)


# From wherever one is


OVERRIDDEN = {"escape": "a log pane first clears its selection, search and filter"}
"""Keys of everywhere that a pane has for itself."""


@pytest.mark.parametrize("number", range(1, 7))
async def test_keys_of_everywhere_work_from_every_pane(number: int) -> None:
    async with opened(dashboard(samples.deploying()), size=WIDE) as hand:
        await hand.press(str(number))
        await hand.until(lambda: number_of(hand) == number)
        active = hand.app.screen.active_bindings
        for key in keys_of(Scope.ACTIONS, Scope.GLOBAL):
            for pressed in key.keys.split(","):
                found = active[pressed]
                assert found.enabled
                if pressed not in OVERRIDDEN:
                    assert (found.binding.action, found.node) == (key.action, hand.app)


@pytest.mark.parametrize("number", range(1, 7))
@pytest.mark.parametrize(
    ("pressed", "screen"), [("D", "PlanScreen"), ("r", "ConfirmScreen"), ("H", "HistoryScreen")]
)
async def test_dialogs_open_from_every_pane_and_lead_back_to_it(
    number: int, pressed: str, screen: str
) -> None:
    async with opened(dashboard(), size=WIDE) as hand:
        await hand.press(str(number))
        await hand.until(lambda: number_of(hand) == number)
        await hand.press(pressed)
        await hand.until_on(screen)
        await hand.press("escape")
        await hand.until_on("MainScreen")
        assert number_of(hand) == number


async def test_a_pane_without_room_opens_as_a_screen() -> None:
    async with opened(dashboard(), size=(80, 24)) as hand:
        for number, screen in (("5", "ServiceScreen"), ("6", "HistoryScreen")):
            await hand.press(number)
            await hand.until_on(screen)
            await hand.press("escape")
            await hand.until_on("MainScreen")


async def test_back_goes_one_step_at_a_time() -> None:
    async with opened(dashboard(), size=WIDE) as hand:
        await hand.press("l", "3", "z")
        await hand.until(lambda: hand.app.screen.maximized is pane(hand, 1))
        await hand.press("escape")
        assert hand.app.screen.maximized is None
        assert (hand.app.only, number_of(hand)) == ("web", 3)
        await hand.press("escape")
        assert (hand.app.only, number_of(hand)) == (None, 3)
        await hand.press("escape")
        assert number_of(hand) == 1


def pane(hand: Hand, at: int) -> LogPane:
    return hand.app.main.log_panes[at]


async def test_keys_of_a_keymap_replace_the_usual_ones() -> None:
    keymap = {"app.deploy": "ctrl+g", "services.down": "ctrl+n", "log.oldest": "ctrl+o"}
    app = dashboard(keymap=keymap)
    async with opened(app, size=WIDE, logged=log_lines()) as hand:
        assert "^g deploy" in hand.text or "ctrl+g deploy" in hand.text
        await hand.press("D", "j", "down")
        await hand.settle()
        assert (hand.screen_name, hand.app.selected) == ("MainScreen", "web")
        await hand.press("ctrl+n")
        await hand.until(lambda: hand.app.selected == "worker")
        await hand.press("2", "g")
        assert pane(hand, 0).viewport.is_following
        await hand.press("ctrl+o")
        await hand.until(lambda: not pane(hand, 0).viewport.is_following)
        await hand.press("question_mark")
        await hand.until_on("HelpScreen")
        assert "ctrl+g" in hand.text or "^g" in hand.text
        await hand.press("escape", "ctrl+g")
        await hand.until_on("PlanScreen")


async def test_a_key_of_a_keymap_works_in_the_history_too() -> None:
    async with opened(dashboard(keymap={"history.back_to": "ctrl+b"}), size=WIDE) as hand:
        await hand.press("H")
        await hand.until(lambda: has_loaded_run(hand))
        await hand.press("ctrl+b")
        await hand.until_on("ConfirmScreen")


# What can be pressed is what is offered


async def test_cancel_is_offered_while_a_run_goes_on() -> None:
    async with opened(dashboard(samples.deploying())) as hand:
        assert "x cancel run" in hand.text
        become(hand.app, samples.idle())
        await hand.until(lambda: "x cancel run" not in hand.text)
        await hand.press("x")
        await hand.settle()
        assert (hand.screen_name, hand.toasts) == ("MainScreen", [])
