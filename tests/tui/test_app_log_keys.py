"""Every key of a log pane, pressed in the real app."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from textual.geometry import Offset
from textual.selection import Selection
from textual.widgets import Input

from core.lines import stamp
from tests.tui import samples
from tests.tui.apps import dashboard, opened
from tui.keys import KEYS, Scope
from tui.logs.levels import Level
from tui.logs.times import TimeMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.tui.apps import Hand
    from tui.logs.viewport import Viewport
    from tui.widgets.log_pane import LogPane

COUNT = 100
"""Lines, one every 3 s; the last has number 99."""


@dataclass(frozen=True, slots=True)
class LogDoes:
    """`of` gives something else before the key, and `becomes` after it."""

    of: Callable[[LogPane], object]
    becomes: object = True
    first: tuple[str, ...] = ()


def pane_of(hand: Hand) -> LogPane:
    return hand.app.main.log_panes[0]


def view(pane: LogPane) -> Viewport:
    return pane.viewport


def chosen(pane: LogPane) -> int:
    row = pane.viewport.chosen
    assert row is not None
    return row.number


def top(pane: LogPane) -> int:
    return pane.viewport.rows[0].number


def typing(pane: LogPane) -> str | None:
    """What the line is for in which is typed."""
    focused = pane.app.focused
    is_bar = isinstance(focused, Input) and pane in focused.ancestors
    return pane._bar.purpose if is_bar and pane._bar is not None else None


def copied(pane: LogPane) -> list[str]:
    return pane.app.clipboard.splitlines()


def saved(_: LogPane) -> int:
    """How many lines were saved."""
    return sum(len(file.read_text().splitlines()) for file in Path.cwd().glob("*.log"))


def text(number: int) -> str:
    level = "ERROR" if number % 10 == 5 else "INFO"
    return f"{level} line {number} {'needle ' if number % 20 == 7 else ''}{'x' * 300}"


def lines() -> list[dict[str, Any]]:
    return [
        {
            "timestamp": stamp(samples.before(3 * (COUNT - number))),
            "stream": "compartment",
            "message": text(number),
            "deploymentId": "dep_3f21x7q2m4kz",
            "serviceName": "web",
            "environmentName": "production",
        }
        for number in range(COUNT)
    ]


SEARCHED = ("slash", *"needle", "enter")
ROWS = 22
"""Rows of the pane, with which what is below was thought out."""

PAGE, HALF = ROWS - 1, 10
"""One row stays in view."""

LOG_DOES: dict[str, LogDoes] = {
    "log.follow": LogDoes(lambda pane: view(pane).is_following, first=("up",)),
    "log.oldest": LogDoes(top, 0),
    "log.down": LogDoes(chosen, 97, ("up", "up", "up")),
    "log.up": LogDoes(lambda pane: (chosen(pane), view(pane).is_following), (98, False)),
    "log.page_down": LogDoes(top, PAGE, ("g",)),
    "log.page_up": LogDoes(top, COUNT - ROWS - PAGE),
    "log.half_down": LogDoes(top, HALF, ("g",)),
    "log.half_up": LogDoes(top, COUNT - ROWS - HALF),
    "log.left": LogDoes(lambda pane: pane._skip, 0, ("right",)),
    "log.right": LogDoes(lambda pane: pane._skip == pane.look.text_width // 2),
    "log.next": LogDoes(chosen, 67, (*SEARCHED, "N", "N")),
    "log.previous": LogDoes(chosen, 67, SEARCHED),
    "log.filter": LogDoes(typing, "filter"),
    "log.level": LogDoes(lambda pane: view(pane).filter.level, Level.INFO),
    "log.time": LogDoes(lambda pane: pane._time, TimeMode.CLOCK.next),
    "log.wrap": LogDoes(lambda pane: pane._is_wrapped),
    "log.json": LogDoes(lambda pane: pane.reads_json),
    "log.mark": LogDoes(lambda pane: pane.marks.numbers, {98}, ("up",)),
    "log.next_mark": LogDoes(chosen, 98, ("up", "m", "g")),
    "log.link": LogDoes(lambda pane: pane.is_linked),
    "log.copy_line": LogDoes(copied, [text(99)]),
    "log.copy_shown": LogDoes(lambda pane: len(copied(pane)), COUNT),
    "log.save": LogDoes(saved, COUNT),
    "log.minute_back": LogDoes(chosen, 79),
    "log.minute_forward": LogDoes(chosen, 20, ("g",)),
    "log.line": LogDoes(lambda pane: type(pane.app.screen).__name__, "LineScreen"),
    "log.copy_selection": LogDoes(copied, ["14:02:45"]),
    "log.back": LogDoes(lambda pane: pane.search, None, SEARCHED),
    "log.clear": LogDoes(lambda pane: len(view(pane).numbers), 0),
}

EVERY_KEY = [
    (key.id, pressed) for key in KEYS if key.id in LOG_DOES for pressed in key.keys.split(",")
]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where lines are saved; and there is no desktop with a clipboard."""
    monkeypatch.chdir(tmp_path)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TZ", "UTC")


def test_all_keys_of_log_panes_are_here() -> None:
    assert LOG_DOES.keys() == {key.id for key in KEYS if key.scope is Scope.LOGS} - {"app.search"}


@pytest.mark.parametrize(("id_", "pressed"), EVERY_KEY)
async def test_what_a_key_does_in_a_log_pane(id_: str, pressed: str) -> None:
    does = LOG_DOES[id_]
    app = dashboard()
    async with opened(app, size=(200, 50), logged=lines()) as hand:
        await hand.press("2")
        pane = pane_of(hand)
        await hand.until(lambda: len(pane.viewport.numbers) == COUNT)
        assert len(pane.viewport.rows) == ROWS
        await hand.press(*does.first)
        await hand.until(lambda: pane.has_focus)
        if id_ == "log.copy_selection":
            app.screen.selections = {pane: Selection(Offset(0, 99), Offset(8, 99))}
        assert does.of(pane) != does.becomes
        await hand.press(pressed)
        await hand.until(lambda: does.of(pane) == does.becomes)


async def test_keys_of_a_log_pane_do_nothing_elsewhere() -> None:
    async with opened(dashboard()) as hand:
        await hand.press("slash", "ampersand", "s", "w", "t", "y")
        await hand.settle()
        assert (hand.screen_name, hand.toasts) == ("MainScreen", [])
        assert hand.app.focused is hand.app.main.services
