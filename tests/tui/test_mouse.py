"""The mouse in the hands of the terminal, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.tui.apps import dashboard, opened
from tests.tui.gallery import lines
from tui.feed.messages import Lines
from tui.mouse import LENT_S, Mouse

if TYPE_CHECKING:
    import pytest

    from tests.tui.apps import Hand

OFF, ON = "\x1b[?1003l\x1b[?1000l", "\x1b[?1000h\x1b[?1003h"


class Clock:
    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def told(hand: Hand, patches: pytest.MonkeyPatch) -> list[str]:
    """What the terminal is told from now on, of the mouse."""
    found: list[str] = []
    driver: Any = hand.app._driver
    patches.setattr(driver, "write", found.append)
    return found


async def test_it_is_lent_and_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(dashboard(), size=(80, 24)) as hand:
        codes = told(hand, monkeypatch)
        await hand.press("M")
        await hand.settle()
        assert [each for each in codes if "?100" in each] == [OFF]
        assert "mouse: terminal 15 s" in hand.text.splitlines()[0]
        await hand.press("M")
        await hand.settle()
        assert [each for each in codes if "?100" in each] == [OFF, ON]
        assert "mouse" not in hand.text


async def test_it_comes_back_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    app, clock = dashboard(), Clock()
    app.mouse = Mouse(app, clock)
    async with opened(app) as hand:
        codes = told(hand, monkeypatch)
        await hand.press("M")
        clock.at += 3.4
        await hand.until(lambda: "mouse: terminal 12 s" in hand.text)
        clock.at += LENT_S - 3.5
        await hand.until(lambda: "mouse: terminal 1 s" in hand.text)
        assert [each for each in codes if "?100" in each] == [OFF]
        clock.at += 0.2
        await hand.until(lambda: "mouse" not in hand.text)
        assert [each for each in codes if "?100" in each] == [OFF, ON]


async def test_what_could_be_selected_stands_still_meanwhile() -> None:
    async with opened(dashboard()) as hand:
        pane = hand.app.main.log_panes[0]
        await hand.until(lambda: len(pane.viewport.rows) == 4)
        await hand.press("M")
        hand.app.take(Lines(lines()))
        hand.app._tick()
        await hand.settle()
        assert len(pane.viewport.rows) == 4
        await hand.press("M")
        await hand.until(lambda: len(pane.viewport.rows) == 8)


async def test_who_had_the_terminal_meanwhile_gives_the_mouse_back() -> None:
    async with opened(dashboard()) as hand:
        await hand.press("M")
        assert hand.app.mouse.is_lent
        hand.app.app_resume_signal.publish(hand.app)
        await hand.until(lambda: not hand.app.mouse.is_lent)


def test_nobody_is_told_before_there_is_a_terminal() -> None:
    mouse = Mouse(dashboard())
    mouse.take_back()
    assert (mouse.is_lent, mouse.notes) == (False, ())
