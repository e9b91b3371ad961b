from __future__ import annotations

from tests.tui import samples
from tests.tui.gallery import Gallery
from tests.tui.samples import scene
from tui.view.glyphs import ASCII
from tui.view.pieces import plain


async def test_recent_runs_and_the_one_that_goes_on() -> None:
    app = Gallery(ASCII)
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.pause()
        pane = app.main.history
        pane.show_runs(samples.RUNS)
        app.main.show(scene(samples.deploying(), "api", ASCII))
        await pilot.pause()
        assert [each[:8] for each in pane.order] == [
            "drn_4c1a", "drn_39b7", "drn_2210", "drn_1f0e", "drn_0b77",
        ]  # fmt: skip
        assert plain(pane._row_at(0)).startswith(" > drn_4c1a  ~~ deploy")
        app.main.focus_pane(6)
        await pilot.press("j", "enter")
        assert app.told == [f"run {samples.RUNS[0]['id']}"]


async def test_a_new_run_does_not_move_the_cursor_from_an_older_one() -> None:
    app = Gallery(ASCII)
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.pause()
        pane = app.main.history
        pane.show_runs(samples.RUNS)
        state = samples.never_deployed()
        app.main.show(scene(state, "api", ASCII))
        app.main.focus_pane(6)
        await pilot.press("j", "j")
        chosen = pane.cursor
        assert chosen == samples.RUNS[2]["id"]
        app.main.show(scene(samples.deploying(), "api", ASCII))
        assert pane.cursor == chosen
        # Whoever looks at the newest wants to see the newest.
        await pilot.press("g")
        pane.show_runs([{**samples.RUNS[0], "id": "drn_new", "createdAt": None}, *samples.RUNS])
        assert pane.cursor == samples.RUN_ID


async def test_a_run_that_has_ended_is_shown_as_it_ended() -> None:
    app = Gallery(ASCII)
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.pause()
        app.main.show(scene(samples.deploying(), "api", ASCII))
        assert "~~ deploy" in plain(app.main.history._row_at(0))
        app.main.show(scene(samples.just_succeeded(), "api", ASCII))
        assert "ok deploy" in plain(app.main.history._row_at(0))
