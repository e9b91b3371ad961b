from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.model import Health, ServiceKind, Stage
from tests.tui import samples
from tests.tui.gallery import Gallery
from tests.tui.samples import candidate, scene
from tui.view.glyphs import ASCII
from tui.view.pieces import plain
from tui.view.state import Service
from tui.widgets.services_table import ServicesTable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot
    from textual.strip import Strip

    from tui.view.pieces import Row
    from tui.view.state import State


@asynccontextmanager
async def shown(
    state: State, size: tuple[int, int] = (80, 24), selected: str = "api"
) -> AsyncIterator[tuple[Gallery, ServicesTable, Pilot[None]]]:
    app = Gallery(ASCII)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        app.main.show(scene(state, selected, ASCII))
        await pilot.pause()
        yield app, app.main.services, pilot


def rows(table: ServicesTable) -> list[str]:
    return [plain(table._row_at(y)).rstrip() for y in range(table.size.height)]


def painted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rows that are drawn from now on."""
    found: list[int] = []
    whole = ServicesTable.render_line

    def render_line(self: ServicesTable, y: int) -> Strip:
        found.append(y)
        return whole(self, y)

    monkeypatch.setattr(ServicesTable, "render_line", render_line)
    return found


async def test_what_it_shows() -> None:
    async with shown(samples.deploying()) as (_, table, _):
        assert rows(table)[:3] == [
            "   NAME     STAGE                     HEALTH        LIVE   CPU   MEM      UP",
            "   admin    ###### active             ok healthy    1d08    0%   38M   6d 1h",
            " > api      ##>... readiness 21s      ok healthy    9ac0   12%  240M   2d 4h",
        ]
        assert "5 of 6 live" in str(table.border_title)
        assert "1 failed" in str(table.border_title)
        assert "sort: name" in str(table.border_subtitle)


async def test_keys_move_the_cursor_and_tell() -> None:
    async with shown(samples.idle(), selected="admin") as (app, table, pilot):
        for key, name in [
            ("j", "api"), ("down", "cron"), ("k", "api"), ("up", "admin"), ("up", "admin"),
            ("G", "worker"), ("j", "worker"), ("g", "admin"), ("end", "worker"), ("home", "admin"),
        ]:  # fmt: skip
            await pilot.press(key)
            assert table.cursor == name, key
        # At the edges there is nothing to tell.
        assert app.told == [
            f"selected {name}" for name in ("api", "cron", "api", "admin") + ("worker", "admin") * 2
        ]


async def test_enter_opens() -> None:
    async with shown(samples.idle()) as (app, _, pilot):
        await pilot.press("enter")
        assert app.told == ["opened api"]


async def test_one_click_selects_and_two_open() -> None:
    async with shown(samples.idle()) as (app, table, pilot):
        await pilot.click(table, offset=(10, 4))
        assert table.cursor == "cron"
        assert app.told == ["selected cron"]
        await pilot.click(table, offset=(10, 4), times=2)
        assert app.told[-1] == "opened cron"


@pytest.mark.parametrize("y", [1, 22])
async def test_a_click_where_no_service_is_does_nothing(y: int) -> None:
    async with shown(samples.idle(), size=(120, 35)) as (app, table, pilot):
        await pilot.click(table, offset=(10, min(y, table.outer_size.height - 2)))
        assert app.told == []
        assert table.cursor == "api"


async def test_the_cursor_stays_on_its_service_when_others_come_and_go() -> None:
    state = samples.idle()
    async with shown(state, selected="cron") as (app, table, pilot):
        more = {f"a{number}": Service(f"a{number}", ServiceKind.WEB) for number in range(3)}
        state = replace(state, services={**more, **state.services})
        app.main.show(scene(state, "cron", ASCII))
        await pilot.pause()
        assert table.cursor == "cron"
        assert table.order.index("cron") == 5
        assert app.told == []


async def test_a_service_that_is_gone_gives_the_cursor_to_the_first() -> None:
    state = samples.idle()
    async with shown(state, selected="cron") as (app, table, pilot):
        rest = {name: each for name, each in state.services.items() if name != "cron"}
        app.main.show(scene(replace(state, services=rest), "cron", ASCII))
        await pilot.pause()
        assert table.cursor == "admin"
        assert app.told == ["selected admin"]


async def test_sorting_by_what_needs_attention_keeps_the_cursor() -> None:
    async with shown(samples.deploying(), selected="worker") as (_, table, pilot):
        assert table.order[0] == "admin"
        await pilot.press("S")
        assert table.order == ["mailer", "api", "web", "worker", "admin", "cron"]
        assert table.cursor == "worker"
        assert "sort: attention" in str(table.border_subtitle)
        assert rows(table)[4].startswith(" > worker")
        await pilot.press("S")
        assert table.order[0] == "admin"
        assert table.cursor == "worker"


async def test_what_begins_to_need_attention_moves_up_and_the_cursor_with_its_service() -> None:
    state = samples.idle()
    async with shown(state, selected="worker") as (app, table, pilot):
        await pilot.press("S")
        live = state.services["worker"].live
        assert live is not None
        sick = replace(state.services["worker"], live=replace(live, health=Health.UNHEALTHY))
        state = replace(state, services={**state.services, "worker": sick})
        app.main.show(scene(state, "worker", ASCII))
        assert table.order[0] == table.cursor == "worker"


async def test_nothing_is_painted_when_nothing_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    state = samples.deploying()
    async with shown(state) as (app, _, pilot):
        drawn = painted(monkeypatch)
        for _ in range(3):
            # A new value that is equal, as a new update of the watch makes it.
            app.main.show(scene(replace(state), "api", ASCII))
            await pilot.pause()
        assert drawn == []


async def test_one_service_that_changes_paints_one_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    state = samples.idle()
    async with shown(state) as (app, table, pilot):
        drawn = painted(monkeypatch)
        changed = replace(state.services["cron"], candidate=candidate("c0de", Stage.BUILDING))
        state = replace(state, services={**state.services, "cron": changed})
        app.main.show(scene(state, "api", ASCII))
        await pilot.pause()
        assert drawn == [1 + table.order.index("cron")]


async def test_moving_the_cursor_paints_two_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    async with shown(samples.idle(), selected="api") as (_, _, pilot):
        drawn = painted(monkeypatch)
        await pilot.press("j")
        await pilot.pause()
        assert sorted(drawn) == [2, 3]


async def test_of_a_thousand_services_only_those_in_view_are_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with shown(samples.many(1000), selected="service-000") as (app, table, pilot):
        made: list[str] = []
        whole = ServicesTable.draw_item

        def draw_item(self: ServicesTable, name: str, *, is_selected: bool) -> Row:
            made.append(name)
            return whole(self, name, is_selected=is_selected)

        monkeypatch.setattr(ServicesTable, "draw_item", draw_item)
        await pilot.press("G")
        await pilot.pause()
        assert table.cursor == "service-999"
        assert rows(table)[-1].startswith(" > service-999")
        assert rows(table)[0].startswith("   NAME")
        assert len(set(made)) < 3 * table.size.height
        await pilot.press("g")
        await pilot.pause()
        assert rows(table)[1].startswith(" > service-000")
        assert app.told == ["selected service-999", "selected service-000"]


async def test_the_wheel_scrolls_and_a_click_then_finds_the_right_row() -> None:
    async with shown(samples.many(100), selected="service-000") as (_, table, pilot):
        table.scroll_to(y=40, animate=False, immediate=True)
        await pilot.pause()
        assert rows(table)[0].startswith("   NAME")
        assert rows(table)[1].startswith("   service-040")
        await pilot.click(table, offset=(10, 3))
        assert table.cursor == "service-041"


async def test_names_are_data_and_not_markup() -> None:
    async with shown(samples.odd_names(), selected="[/red]", size=(120, 35)) as (_, table, _):
        assert rows(table)[1].startswith(" > [/red]")


async def test_the_row_under_the_cursor_is_always_in_view() -> None:
    async with shown(samples.many(100), selected="service-060", size=(120, 50)) as (
        _,
        table,
        pilot,
    ):
        for size in ((120, 35), (80, 24), (80, 20), (200, 50)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            await pilot.pause()
            assert any(line.startswith(" > service-060") for line in rows(table)), size


async def test_a_scene_that_is_late_does_not_move_the_cursor_back() -> None:
    state = samples.idle()
    async with shown(state, selected="admin") as (app, table, pilot):
        await pilot.press("j", "j")
        assert table.cursor == "cron"
        # The app has heard of the first step only.
        app.main.show(scene(replace(state), "api", ASCII))
        assert table.cursor == "cron"
        app.main.show(scene(replace(state), "cron", ASCII))
        assert table.cursor == "cron"
        # And then somebody else chooses, where the cursor has been before.
        app.main.show(scene(replace(state), "api", ASCII))
        assert table.cursor == "api"
