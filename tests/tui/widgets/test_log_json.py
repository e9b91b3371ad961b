"""Lines that are JSON, read as such: what is seen, found, filtered, copied and saved."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.tui.logs.wire import line, lines
from tests.tui.widgets.log_host import LogHost, rows_of, screen_of, shown
from tests.tui.widgets.test_log_pane import push, scene, texts, tick
from tui.screens.line import LineScreen

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

ORDER = '{"time":"x","level":"info","msg":"order done","n":7,"user":{"id":1}}'
BROKEN = '{"level":"error","msg":"no end"'


async def test_off_until_it_is_wanted_and_back_again() -> None:
    host = LogHost()
    async with shown(host, (100, 12)) as pilot:
        await push(host, pilot, [line(ORDER), line(BROKEN), line("plain")])
        assert texts(host) == [ORDER, BROKEN, "plain"]
        await pilot.press("J")
        await pilot.pause()
        assert texts(host) == ['INFO order done n=7 user={"id":1}', BROKEN, "plain"]
        assert "json" in screen_of(host).splitlines()[-1]
        await pilot.press("J")
        await pilot.pause()
        assert texts(host) == [ORDER, BROKEN, "plain"]
        assert "json" not in screen_of(host).splitlines()[-1]


async def test_levels_have_their_colours() -> None:
    host = LogHost()
    async with shown(host, (100, 12)) as pilot:
        await push(host, pilot, [line('{"lvl":"error","msg":"db is down"}')])
        await pilot.press("J")
        await pilot.pause()
        strip = host.pane.render_lines(host.pane.outer_size.region)[1]
        error = host.pane.get_component_rich_style("log-pane--error", partial=True)
        (found,) = [each.style for each in strip if each.text == "ERROR"]
        assert found is not None
        assert found.color == error.color


async def test_search_and_filter_look_at_what_is_seen() -> None:
    host = LogHost()
    async with shown(host, (100, 12)) as pilot:
        await push(host, pilot, [line(ORDER), *lines(0, 3)])
        await pilot.press("slash", *"n=7", "enter")
        await tick(host, pilot)
        assert "not found" in screen_of(host)
        await pilot.press("J")
        await tick(host, pilot, 5)
        assert "/n=7 1 line" in screen_of(host)
        await pilot.press("ampersand", *"done n=", "enter")
        await pilot.pause()
        assert texts(host) == ['INFO order done n=7 user={"id":1}']
        await pilot.press("J")
        await tick(host, pilot)
        assert "4 lines hidden by filter done n=" in screen_of(host)


async def test_copy_and_save_take_what_is_seen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("WAYLAND_DISPLAY", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    host = LogHost()
    async with shown(host, (150, 20)) as pilot:
        await push(host, pilot, [line(ORDER)])
        await pilot.press("J", "y")
        seen = 'INFO order done n=7 user={"id":1}'
        assert host.clipboard == seen
        await pilot.press("Y")
        assert host.clipboard == f"2026-11-21T10:00:00.000000Z web {seen}"
        await pilot.press("s")
        await host.workers.wait_for_complete()
        (file,) = os.scandir(tmp_path)
        assert (tmp_path / file.name).read_text() == host.clipboard + "\n"


async def test_a_line_is_indented_when_it_is_opened() -> None:
    host = LogHost()
    async with shown(host, (100, 30)) as pilot:
        await push(host, pilot, [line(ORDER), line('{"msg":"beside"}', stream="stderr")])
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(host.screen, LineScreen)
        assert ORDER in screen_of(host)
        await pilot.press("escape", "J", "enter")
        await pilot.pause()
        rows = [row.strip("│ ") for row in screen_of(host).splitlines()]
        assert {'"msg": "order done",', '"n": 7,', '"user": {', '"id": 1'} <= set(rows)
        assert any(row.endswith("stderr web beside") for row in rows)
        await pilot.press("y")
        assert host.clipboard.startswith('{\n  "time": "x",\n')


async def test_wrapped_rows_are_counted_anew() -> None:
    host = LogHost()
    async with shown(host, (40, 12)) as pilot:
        host.pane.show(scene("web"))
        many = [line(ORDER.replace("7", str(number)), after_s=number) for number in range(50)]
        await push(host, pilot, many)
        await pilot.press("w", *["k"] * 20)
        await pilot.pause()
        chosen = host.pane.viewport.cursor
        await pilot.press("J")
        await pilot.pause()
        assert host.pane.viewport.cursor == chosen
        found = " ".join(row[14:].strip() for row in rows_of(host.pane))
        assert f"INFO order done n={chosen}" in found
        assert len([row for row in rows_of(host.pane) if row]) == 10


async def test_a_selection_ends_with_the_letters_that_it_counted() -> None:
    host = LogHost()
    async with shown(host, (100, 12)) as pilot:
        await push(host, pilot, [line(ORDER)])
        await pilot.click("#stdout", offset=(40, 1), times=2)
        await pilot.pause()
        assert host.screen.get_selected_text()
        await pilot.press("J")
        await pilot.pause()
        assert host.screen.get_selected_text() is None


async def test_nothing_is_parsed_while_it_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    from tui.logs import structured

    monkeypatch.setattr(structured, "_compact", lambda text: parsed.append(text))
    host = LogHost()
    async with shown(host, (100, 12)) as pilot:
        await push(host, pilot, [line(ORDER, after_s=number) for number in range(100)])
        await pilot.press("slash", *"done", "enter", "ampersand", *"order", "enter", "g")
        await tick(host, pilot)
        assert parsed == []
        await pilot.press("escape", "escape", "G", "J")
        await tick(host, pilot)
        assert 0 < len(parsed) <= 60  # the rows that are seen, a few times; not all that are kept
