"""What the one clock does, and what it leaves alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.css.stylesheet import Stylesheet

from tests.tui.apps import dashboard, opened
from tests.tui.gallery import lines
from tui.feed.messages import Lines

if TYPE_CHECKING:
    from datetime import datetime

    from tests.tui.apps import Hand

AT_REST = 60
IDLE_EVERY = 10


class Clockwork:
    """Turns the clock of a dashboard by hand, and counts how often its log panes were drawn."""

    def __init__(self, hand: Hand, patches: pytest.MonkeyPatch) -> None:
        self._app = hand.app
        self._drawn = 0
        for timer in hand.app._timers:
            timer.pause()
        flush = hand.app.main.flush

        def counted(now: datetime) -> None:
            self._drawn += 1
            flush(now)

        patches.setattr(hand.app.main, "flush", counted)

    def drawn_in(self, ticks: int) -> int:
        before = self._drawn
        for _ in range(ticks):
            self._app._tick()
        return self._drawn - before


async def test_log_panes_come_to_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(dashboard()) as hand:
        clock = Clockwork(hand, monkeypatch)
        clock.drawn_in(AT_REST + IDLE_EVERY)
        assert clock.drawn_in(5 * IDLE_EVERY) == 5


async def test_a_line_is_drawn_at_once_and_its_rate_until_it_has_fallen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with opened(dashboard()) as hand:
        clock = Clockwork(hand, monkeypatch)
        clock.drawn_in(AT_REST + IDLE_EVERY)
        hand.app.take(Lines(lines()))
        assert clock.drawn_in(AT_REST) == AT_REST


@pytest.mark.parametrize("key", ["/", "down"])
async def test_after_a_key_log_panes_are_at_work(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    async with opened(dashboard()) as hand:
        clock = Clockwork(hand, monkeypatch)
        clock.drawn_in(AT_REST + IDLE_EVERY)
        await hand.press(key)
        assert clock.drawn_in(AT_REST - 1) == AT_REST - 1


@pytest.mark.parametrize("theme", ["compartment-dark", "compartment-light", "nord"])
async def test_the_style_sheets_are_read_once_and_again_for_other_colours(
    monkeypatch: pytest.MonkeyPatch, theme: str
) -> None:
    again: list[Stylesheet] = []
    reparse = Stylesheet.reparse

    def counted(sheet: Stylesheet) -> None:
        again.append(sheet)
        reparse(sheet)

    monkeypatch.setattr(Stylesheet, "reparse", counted)
    app = dashboard(theme=theme)
    async with opened(app) as hand:
        colours = app.get_theme(theme)
        assert colours is not None
        assert app.theme == theme
        assert app.has_class("-dark-mode") is colours.dark
        assert app.screen.styles.background.hex.lower() == (colours.background or "").lower()
        assert again == []
        app.theme = "gruvbox"
        await hand.settle()
        assert len(again) == 1
        other = app.get_theme("gruvbox")
        assert other is not None
        assert app.screen.styles.background.hex.lower() == (other.background or "").lower()
