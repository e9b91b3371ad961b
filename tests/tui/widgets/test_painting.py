from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App

from tests.tui import samples
from tui import themes
from tui.widgets.painting import RowsView

if TYPE_CHECKING:
    import pytest
    from textual.app import ComposeResult
    from textual.strip import Strip

    from tui.view.pieces import Row
    from tui.view.scene import Scene


class Lines(RowsView):
    def rows(self, scene: Scene) -> list[Row]:
        return [((name, "bold"), (" service", "")) for name in scene.state.services]


class Host(App[None]):
    def __init__(self) -> None:
        super().__init__()
        for theme in themes.THEMES:
            self.register_theme(theme)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return themes.variable_defaults(self.current_theme)

    def compose(self) -> ComposeResult:
        yield Lines()


def painted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    found: list[int] = []
    whole = RowsView.render_line

    def render_line(self: RowsView, y: int) -> Strip:
        found.append(y)
        return whole(self, y)

    monkeypatch.setattr(RowsView, "render_line", render_line)
    return found


async def test_only_rows_that_differ_are_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Host().run_test(size=(40, 10)) as pilot:
        lines = pilot.app.query_one(Lines)
        lines.show(samples.scene(samples.idle()))
        await pilot.pause()
        drawn = painted(monkeypatch)
        lines.show(samples.scene(samples.idle()))
        await pilot.pause()
        assert drawn == []
        lines.show_rows([*lines._rows[:2], (("other", ""),), *lines._rows[3:]])
        await pilot.pause()
        assert drawn == [2]
        lines.show_rows(lines._rows[:4])
        await pilot.pause()
        assert drawn == [2, 4, 5]


async def test_styles_follow_the_theme() -> None:
    async with Host().run_test(size=(40, 10)) as pilot:
        lines = pilot.app.query_one(Lines)
        seen = set()
        for name in ("compartment-dark", "compartment-light"):
            pilot.app.theme = name
            await pilot.pause()
            lines.show_rows([(("word", "$state-failed"),)])
            seen.add(str(next(iter(lines.render_line(0))).style))
        assert len(seen) == 2


async def test_text_can_be_selected_and_copied() -> None:
    async with Host().run_test(size=(40, 10)) as pilot:
        lines = pilot.app.query_one(Lines)
        lines.show(samples.scene(samples.idle()))
        await pilot.pause()
        await pilot.mouse_down(lines, offset=(0, 1))
        await pilot.mouse_up(lines, offset=(2, 1))
        assert pilot.app.screen.get_selected_text() == "api"
        strip = list(lines.render_line(1))
        assert strip[0].text == "api"
        assert "reverse" in str(strip[0].style)
