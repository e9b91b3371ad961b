from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.tui import samples
from tests.tui.gallery import Gallery, lines
from tests.tui.samples import scene
from tui.view.glyphs import ASCII, UNICODE
from tui.widgets.painting import RowsView

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.geometry import Region
    from textual.pilot import Pilot
    from textual.strip import Strip
    from textual.widget import Widget

    from tui.screens.main import MainScreen
    from tui.view.glyphs import Glyphs
    from tui.view.state import State


@asynccontextmanager
async def screen(
    state: State | None = None, size: tuple[int, int] = (80, 24), glyphs: Glyphs = ASCII
) -> AsyncIterator[tuple[MainScreen, Pilot[None]]]:
    app = Gallery(glyphs)
    async with app.run_test(size=size) as pilot:
        app.store.push(lines())
        await settle(pilot)
        app.main.show(scene(state or samples.deploying(), "api", glyphs))
        app.main.flush(samples.NOW)
        await settle(pilot)
        yield app.main, pilot


async def settle(pilot: Pilot[None]) -> None:
    """Until the layout after a change is done, and what had to be shown after it."""
    for _ in range(3):
        await pilot.pause()


def seen(main: MainScreen) -> list[int]:
    panes = (main.services, *main.log_panes, main.detail, main.history)
    return [number for number, pane in enumerate(panes, start=1) if pane.is_on_screen]


def told(pilot: Pilot[None]) -> list[str]:
    assert isinstance(pilot.app, Gallery)
    return pilot.app.told


def text(main: MainScreen, selector: str) -> str:
    return main.query_one(selector, RowsView).text


@pytest.mark.parametrize(
    ("size", "classes", "panes"),
    [
        ((80, 24), {"-narrow", "-short"}, [1, 2]),
        ((99, 50), {"-narrow", "-tall"}, [1, 2]),
        ((100, 29), {"-normal", "-short"}, [1, 2, 5]),
        ((120, 35), {"-normal", "-tall"}, [1, 2, 3, 4, 5]),
        ((160, 29), {"-wide", "-short"}, [1, 2, 5, 6]),
        ((200, 50), {"-wide", "-tall"}, [1, 2, 3, 4, 5, 6]),
    ],
)
async def test_what_is_seen_at_each_size(
    size: tuple[int, int], classes: set[str], panes: list[int]
) -> None:
    async with screen(size=size) as (main, _):
        every = {"-narrow", "-normal", "-wide", "-short", "-tall", "-tiny"}
        assert set(main.classes) & every == classes
        assert seen(main) == panes


async def test_the_normal_screen_has_the_log_of_the_run_at_the_left_of_the_output() -> None:
    async with screen(size=(120, 35)) as (main, _):
        compartment, stdout, stderr = (pane.region for pane in main.log_panes)
        assert compartment.right == stdout.x == stderr.x
        assert stdout.bottom == stderr.y
        assert compartment.y == stdout.y
        assert compartment.bottom == stderr.bottom


async def test_the_wide_screen_has_three_equal_log_panes() -> None:
    async with screen(size=(200, 50)) as (main, _):
        widths = [pane.region.width for pane in main.log_panes]
        assert max(widths) - min(widths) <= 1
        assert len({pane.region.y for pane in main.log_panes}) == 1


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (100, 29), (120, 35), (160, 40), (200, 50)])
async def test_the_parts_fill_the_screen_without_overlap(size: tuple[int, int]) -> None:
    async with screen(size=size) as (main, _):
        rows = [main.query_one(f"#{name}").region for name in
                ("status", "run", "upper", "logs", "why", "keys")]  # fmt: skip
        assert [row.bottom for row in rows[:-1]] == [row.y for row in rows[1:]]
        assert (rows[0].y, rows[-1].bottom) == (0, size[1])
        assert {row.width for row in rows} == {size[0]}


async def test_the_lines_say_what_they_are_for() -> None:
    async with screen() as (main, _):
        assert "deploying 3 services" in text(main, "#status")
        assert "ready ##> 2/3" in text(main, "#run")
        assert text(main, "#why").startswith(" !! api: waits for readiness GET /healthz")
        assert "D deploy" in text(main, "#keys")


async def test_resizing_keeps_selection_and_focus() -> None:
    async with screen(samples.many(), size=(200, 50)) as (main, pilot):
        main.services.put_cursor("service-042")
        main.services.chosen("service-042")
        main.show(scene(samples.many(), "service-042", ASCII))
        for size in ((80, 24), (200, 50), (120, 35)):
            await pilot.resize_terminal(*size)
            await settle(pilot)
            assert main.services.cursor == "service-042"
            assert main.focused is main.services
        assert text(main, "#detail").startswith(" live      dep_0042")


async def test_a_focused_log_pane_is_the_one_that_is_left_when_the_screen_gets_small() -> None:
    async with screen(size=(200, 50)) as (main, pilot):
        main.focus_pane(4)
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert seen(main) == [1, 4]
        assert main.focused is main.log_panes[2]


async def test_the_focus_of_a_pane_that_has_gone_is_on_the_services() -> None:
    async with screen(size=(200, 50)) as (main, pilot):
        for number in (5, 6):
            await pilot.resize_terminal(200, 50)
            await settle(pilot)
            main.focus_pane(number)
            await settle(pilot)
            assert main.focused is not main.services
            await pilot.resize_terminal(80, 24)
            await settle(pilot)
            assert main.focused is main.services


async def test_tabs_of_a_small_screen() -> None:
    async with screen() as (main, pilot):
        title = str(main.logs.border_title)
        assert "2" in title
        assert "(" in title
        assert "3 stdout" in title
        assert "*2" in title
        assert "!1" in title
        main.focus_pane(3)
        await settle(pilot)
        for _ in range(5):
            main.flush(samples.NOW)
        assert seen(main) == [1, 3]
        # What is seen is not new any more.
        assert "*2" not in str(main.logs.border_title)
        assert "2 compartment" in str(main.logs.border_title)
        assert main.focused is main.log_panes[1]


async def test_a_click_on_a_tab_goes_there() -> None:
    async with screen() as (main, pilot):
        start, _, pane = main.logs._tabs[1]
        assert pane is main.log_panes[2]
        await pilot.click("#logs", offset=(start + 2, 0))
        await settle(pilot)
        assert seen(main) == [1, 4]
        assert main.focused is main.log_panes[2]


@pytest.mark.parametrize("size", [(80, 24), (120, 35), (200, 50)])
async def test_every_number_leads_somewhere(size: tuple[int, int]) -> None:
    async with screen(size=size) as (main, pilot):
        panes = (main.services, *main.log_panes, main.detail, main.history)
        for number, pane in enumerate(panes, start=1):
            main.focus_pane(number)
            await settle(pilot)
            if number in seen(main):
                assert main.focused is pane
        # What has no room is opened as a screen.
        opened = {5: "opened api", 6: f"run {samples.RUN_ID}"}
        missing = [opened[number] for number in (5, 6) if number not in seen(main)]
        assert [each for each in told(pilot) if not each.startswith("selected")] == missing


@pytest.mark.parametrize(
    ("size", "order"),
    [((80, 24), [2, 3, 4, 1]), ((120, 35), [2, 3, 4, 5, 1]), ((200, 50), [2, 3, 4, 5, 6, 1])],
)
async def test_going_round_the_panes(size: tuple[int, int], order: list[int]) -> None:
    async with screen(size=size) as (main, pilot):
        panes = (main.services, *main.log_panes, main.detail, main.history)
        for number in order:
            main.next_pane(1)
            await settle(pilot)
            assert main.focused is panes[number - 1]
        main.next_pane(-1)
        await settle(pilot)
        assert main.focused is panes[order[-2] - 1]


async def test_zoom_and_back() -> None:
    async with screen(size=(120, 35)) as (main, pilot):
        main.focus_pane(4)
        main.maximize(main.log_panes[2])
        await settle(pilot)
        assert seen(main) == [4]
        assert main.log_panes[2].region.height > 25
        assert main.query_one("#why").is_on_screen
        await pilot.press("escape")
        await settle(pilot)
        assert seen(main) == [1, 2, 3, 4, 5]


async def test_a_pane_beside_others_fills_the_screen_as_well() -> None:
    async with screen(size=(200, 50)) as (main, pilot):
        for pane in (main.detail, main.history):
            main.maximize(pane)
            await settle(pilot)
            assert pane.outer_size.width == 200
            main.minimize()
            await settle(pilot)


async def test_another_number_leaves_the_zoom() -> None:
    async with screen(size=(120, 35)) as (main, pilot):
        main.maximize(main.services)
        await settle(pilot)
        main.focus_pane(2)
        await settle(pilot)
        assert main.maximized is None
        assert main.focused is main.log_panes[0]


async def test_what_happened_behind_a_zoomed_pane_is_there_when_it_ends() -> None:
    async with screen(size=(120, 35)) as (main, pilot):
        main.focus_pane(2)
        main.maximize(main.log_panes[0])
        await settle(pilot)
        main.show(scene(samples.failed_deploy(), "api", ASCII))
        await settle(pilot)
        await pilot.press("escape")
        await settle(pilot)
        assert "failed: readiness" in text(main, "#run")
        assert "last try" in text(main, "#detail")


async def test_the_split_moves_within_limits_and_is_kept() -> None:
    async with screen(size=(120, 35)) as (main, pilot):
        before = main.services.outer_size.height
        main.change_split(2)
        await settle(pilot)
        assert main.services.outer_size.height == before + 2
        for _ in range(40):
            main.change_split(1)
        await settle(pilot)
        assert main.logs.outer_size.height == 4
        # A press at the limit is not counted: the way back begins at once.
        main.change_split(-1)
        await settle(pilot)
        assert main.logs.outer_size.height == 5
        for _ in range(60):
            main.change_split(-1)
        await settle(pilot)
        assert main.services.outer_size.height == 4


async def test_the_detail_can_be_hidden() -> None:
    async with screen(size=(120, 35)) as (main, pilot):
        main.focus_pane(5)
        await settle(pilot)
        main.toggle_detail()
        await settle(pilot)
        assert 5 not in seen(main)
        assert main.focused is main.services
        assert "up" in {each.key for each in main.services._columns}
        main.focus_pane(5)
        await settle(pilot)
        assert 5 in seen(main)
        assert main.detail.has_focus
        assert "up" not in {each.key for each in main.services._columns}


@pytest.mark.parametrize("size", [(59, 40), (120, 14), (20, 5)])
async def test_a_terminal_that_is_too_small_says_so(
    size: tuple[int, int],
) -> None:
    async with screen() as (main, pilot):
        await pilot.resize_terminal(*size)
        await settle(pilot)
        sentence = " ".join(text(main, "#tiny").split())
        assert "This needs 60 columns and 15 rows" in sentence or size[0] < 30
        assert f"{size[0]} and {size[1]}" in sentence
        assert "api: waits for" in sentence
        await pilot.press("j")
        assert main.services.cursor == "cron"
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        assert not main.query_one("#tiny").is_on_screen


async def test_a_lost_connection_is_said_at_the_top() -> None:
    async with screen() as (main, pilot):
        assert not main.query_one("#banner").is_on_screen
        main.show(scene(samples.lost(), "api", ASCII))
        await settle(pilot)
        assert text(main, "#banner") == (
            " xx the agent does not answer: what is shown here is 12s old"
        )
        assert main.query_one("#keys").region.bottom == 24
        main.show(scene(samples.deploying(), "api", ASCII))
        await settle(pilot)
        assert not main.query_one("#banner").is_on_screen


async def test_nothing_is_painted_when_nothing_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    state = samples.deploying()
    async with screen(state, size=(200, 50)) as (main, pilot):
        for _ in range(10):  # the log panes look at their scroll bars now and then only
            main.flush(samples.NOW)
        await settle(pilot)
        drawn: list[Widget] = []
        for widget in main.query("*"):
            whole = widget.render_lines

            def render_lines(
                crop: Region, widget: Widget = widget, whole: Any = whole
            ) -> list[Strip]:
                drawn.append(widget)
                return list(whole(crop))

            monkeypatch.setattr(widget, "render_lines", render_lines)
        for part in range(9):
            now = samples.NOW.replace(microsecond=part * 100_000)
            main.show(replace(scene(replace(state), "api", ASCII), now=now))
            main.flush(now)
            await pilot.pause()
        assert drawn == []
        main.show(replace(scene(state, "api", ASCII), now=samples.before(-1)))
        await pilot.pause()
        assert main.query_one("#why") in drawn


@pytest.mark.parametrize("size", [(80, 24), (120, 35), (200, 50)])
async def test_ascii_mode_has_no_other_signs(size: tuple[int, int]) -> None:
    async with screen(size=size) as (main, pilot):
        for sample in samples.ALL.values():
            main.show(scene(sample(), "api", ASCII))
            await settle(pilot)
            shown = "".join(
                segment.text for strip in main._compositor.render_strips() for segment in strip
            )
            names = "".join(main.services.order) + "検索"
            assert {sign for sign in shown if not sign.isascii()} <= set(names)


async def test_borders_are_round_otherwise() -> None:
    async with screen(glyphs=UNICODE) as (main, _):
        assert main.services.styles.border_top[0] == "round"
    async with screen(glyphs=ASCII) as (main, _):
        assert main.services.styles.border_top[0] == "ascii"
