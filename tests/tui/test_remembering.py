"""What a person arranged is there again at the next start, in the whole app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import OptionList

from tests.tui.samples import NOW, PLACE, UP, idle
from tests.tui.scripted_verbs import ScriptedVerbs
from tui.app import DashboardApp
from tui.choices import Choices
from tui.options import Options
from tui.screens import type_ahead
from tui.view.state import Service

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    import pytest

    from tui.feed.messages import Take


class Silence:
    """A feed that has nothing to tell."""

    async def run(self, take: Take) -> None:
        del take

    def now(self) -> datetime:
        return NOW


def dashboard(file: Path, *, is_read_only: bool = False) -> DashboardApp:
    services = [Service(each.name, each.kind) for each in idle().services.values()]
    app = DashboardApp(
        PLACE,
        services,
        Silence(),
        ScriptedVerbs(runs=[]),
        Options(is_read_only=is_read_only),
        Choices.load(file, is_read_only=is_read_only),
    )
    app.board.change_link(UP.since or NOW, is_up=True)
    return app


async def test_choices_outlive_the_dashboard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type_ahead, "QUIET_S", 0.0)
    file = tmp_path / "dashboard.json"
    async with dashboard(file).run_test(size=(120, 35)) as pilot:
        await pilot.pause()
        await pilot.press("S", "underscore", "backslash", "3", "t", "w", "T")
        while not pilot.app.screen.query(OptionList):
            await pilot.pause()
        themes = pilot.app.screen.query_one(OptionList)
        themes.highlighted = themes.get_option_index("compartment-light")
        await pilot.press("enter")
        while Choices.load(file).theme != "compartment-light":
            await pilot.pause()
    app = dashboard(file)
    async with app.run_test(size=(120, 35)) as pilot:
        await pilot.pause()
        assert app.main.services.sorted_by == "attention"
        assert app.main.splits == {"normal": -1}
        assert app.main.is_detail_hidden
        assert not app.main.detail.is_on_screen
        assert app.theme == "compartment-light"
        assert {pane.look.time.value for pane in app.main.log_panes} == {"none"}
        assert all(pane.look.is_wrapped for pane in app.main.log_panes)


async def test_a_read_only_dashboard_leaves_them_alone(tmp_path: Path) -> None:
    file = tmp_path / "dashboard.json"
    async with dashboard(file, is_read_only=True).run_test(size=(120, 35)) as pilot:
        await pilot.pause()
        await pilot.press("S", "underscore")
        await pilot.pause()
    assert not file.exists()
