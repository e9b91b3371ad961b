from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest
from textual.binding import Binding

from tests.tui.gallery import Gallery
from tui.widgets.key_bar import KeyBar

if TYPE_CHECKING:
    from textual.app import App


def bar(app: App[None]) -> KeyBar:
    return app.screen.query_one(KeyBar)


@pytest.mark.parametrize(("width", "least"), [(80, 7), (120, 8), (60, 5)])
async def test_whole_entries_only(width: int, least: int) -> None:
    async with Gallery().run_test(size=(width, 24)) as pilot:
        await pilot.pause()
        shown = bar(pilot.app).text
        entries = [each.split(" ", 1) for each in shown.strip().split("  ")]
        assert len(entries) >= least
        assert {"D", "?", ":", "q"} <= {key for key, _ in entries}
        active = pilot.app.screen.active_bindings.values()
        labels = {each.binding.description for each in active}
        assert {label for _, label in entries} <= labels
        assert len(shown) <= width


async def test_promote_and_variables_have_room_at_an_ordinary_width() -> None:
    async with Gallery().run_test(size=(120, 35)) as pilot:
        await pilot.pause()
        assert {"P promote", "v variables"} <= set(bar(pilot.app).text.strip().split("  "))


async def test_a_wide_screen_shows_more_keys_and_the_last_ones_stay_last() -> None:
    async with Gallery().run_test(size=(200, 50)) as pilot:
        await pilot.pause()
        shown = bar(pilot.app).text.strip()
        for entry in ("H history", "! events", "l only this", "o open", "v variables"):
            assert entry in shown
        assert shown.endswith("z zoom  ? help  : palette  q quit")
        assert shown.count("D deploy") == 1


async def test_a_click_presses_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Gallery().run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        pressed: list[str] = []
        monkeypatch.setattr(pilot.app, "simulate_key", pressed.append)
        text = bar(pilot.app).text
        await pilot.click(KeyBar, offset=(text.index("redeploy"), 0))
        await pilot.click(KeyBar, offset=(text.index("q quit"), 0))
        # Between two entries is nothing.
        await pilot.click(KeyBar, offset=(text.index("q quit") - 1, 0))
        assert pressed == ["r", "q"]


async def test_it_follows_the_focus_and_the_keymap() -> None:
    app = Gallery()
    async with app.run_test(size=(120, 24)) as pilot:
        await pilot.pause()
        assert "/ search" not in bar(pilot.app).text
        app.main.focus_pane(2)
        await pilot.pause()
        await pilot.pause()
        assert "/ search" in bar(pilot.app).text
        pilot.app.set_keymap({"app.deploy": "f5"})
        app.main.focus_pane(1)
        await pilot.pause()
        await pilot.pause()
        assert "f5 deploy" in bar(pilot.app).text


async def test_what_cannot_be_done_now_is_not_offered() -> None:
    class ReadOnly(Gallery):
        BINDINGS: ClassVar = [Binding("X", "nothing", "nothing at all")]

        def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
            return action not in ("deploy", "nothing")

    async with ReadOnly().run_test(size=(120, 24)) as pilot:
        await pilot.pause()
        assert "deploy" not in bar(pilot.app).text.replace("redeploy", "")
        assert "nothing" not in bar(pilot.app).text
