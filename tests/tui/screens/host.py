"""A small app that shows one screen, as the dashboard would."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Static

from tui import themes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.app import ComposeResult
    from textual.screen import Screen

    from tui.screens.asking import Dialog
    from tui.screens.history import HistoryScreen
    from tui.view.scene import Scene

STYLES = Path(__file__).parents[3] / "styles" / "screens.tcss"


class Host(App[None]):
    """Pushes the screen, and keeps what it was dismissed with."""

    CSS_PATH: ClassVar = [STYLES]

    def __init__(self, shown: Screen[Any]) -> None:
        super().__init__()
        self.shown = shown
        self.results: list[Any] = []
        self.asked_back_to: list[tuple[str, str]] = []
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.theme = themes.DEFAULT_THEME

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.variable_defaults(self.current_theme)

    def compose(self) -> ComposeResult:
        yield Static("the screen below")

    async def on_mount(self) -> None:
        await self.push_screen(self.shown, self.results.append)

    def on_history_screen_roll_back_to(self, event: HistoryScreen.RollBackTo) -> None:
        self.asked_back_to.append((event.service, event.deployment["id"]))


class Clock:
    """Time that a test turns by hand; begins long after the dialog was shown."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


class Hand(Pilot[None]):
    """A pilot that knows whom it steers."""

    @property
    def app(self) -> Host:
        return cast("Host", self._app)


@asynccontextmanager
async def opened(
    screen: Screen[Any], first: Scene | None = None, *, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Hand]:
    """The screen in a host, with everything loaded, and perhaps a scene from its beginning."""
    app = Host(screen)
    if first is not None:
        cast("Any", screen).show(first)
    async with app.run_test(size=size):
        hand = Hand(app)
        await settle(hand)
        yield hand


@asynccontextmanager
async def in_sight(
    screen: Dialog[Any], clock: Clock | None = None, *, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Hand]:
    """The same for a dialog, which is there for long enough unless a clock says otherwise."""
    async with opened(screen, size=size) as hand:
        if clock is None:
            screen.type_ahead._clock = lambda: float("inf")
        yield hand


async def settle(pilot: Pilot[None]) -> None:
    """Until the first frame is drawn and every answer has been shown."""
    await pilot.pause()
    await pilot.app.workers.wait_for_complete()
    await pilot.pause()


def text_of(app: App[Any]) -> str:
    """What a person sees, without colours."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)
