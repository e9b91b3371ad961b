"""Taking lines out of a log pane: selection, clipboard, file, and one line as a whole."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

import pytest

from tests.tui.logs.wire import line, lines
from tests.tui.widgets.log_host import LogHost, rows_of, screen_of, shown
from tests.tui.widgets.test_log_pane import push, scene, tick
from tui.clipboard import ENCODED_LIMIT, copy, native_tool
from tui.screens.line import LineScreen

if TYPE_CHECKING:
    from pathlib import Path

    from textual.pilot import Pilot


@pytest.fixture(autouse=True)
def no_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WAYLAND_DISPLAY", "DISPLAY", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)


async def drag(pilot: Pilot[None], start: tuple[int, int], end: tuple[int, int]) -> None:
    await pilot.mouse_down("#stdout", offset=start)
    await pilot.hover("#stdout", offset=end)
    await pilot.mouse_up("#stdout", offset=end)
    await pilot.pause()


async def test_a_drag_selects_what_is_seen() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        host.pane.show(scene("web"))
        await push(host, pilot, lines(0, 30))
        await drag(pilot, (10, 3), (18, 5))
        assert host.screen.get_selected_text() == "web  line 22\n" + "\n".join(
            [rows_of(host.pane)[3], rows_of(host.pane)[4][:18]]
        )
        await pilot.press("ctrl+c")
        assert host.clipboard == host.screen.get_selected_text()
        await tick(host, pilot)
        assert "copied 3 lines" in screen_of(host)


async def test_rows_do_not_slide_away_under_a_selection() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, lines(0, 30))
        await drag(pilot, (10, 3), (30, 3))
        before, selected = rows_of(host.pane), host.screen.get_selected_text()
        await push(host, pilot, lines(30, 20_010))  # all of it is pushed out of the ring
        assert rows_of(host.pane) == before
        assert host.screen.get_selected_text() == selected
        await pilot.press("f")
        await pilot.pause()
        assert host.screen.get_selected_text() is None
        assert "line 20039" in rows_of(host.pane)[-1]


async def test_what_is_selected_is_copied_though_it_was_pushed_out() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        host.pane.show(scene("web"))
        await push(host, pilot, lines(0, 20_000))
        await pilot.press("g")
        await pilot.pause()
        await pilot.mouse_down("#stdout", offset=(2, 2))
        await pilot.hover("#stdout", offset=(30, 5))
        host.pane.scroll_to(y=20, animate=False)  # as a drag beyond the edge asks for it
        await pilot.pause()
        await pilot.hover("#stdout", offset=(30, 4))
        await pilot.mouse_up("#stdout", offset=(30, 4))
        await pilot.pause()
        selected = host.screen.get_selected_text()
        assert selected is not None
        numbers = [row.rpartition(" ")[2] for row in selected.splitlines()]
        assert numbers == [str(number) for number in range(1, 24)]
        await push(host, pilot, lines(20_000, 10))
        assert host.screen.get_selected_text() == selected
        await push(host, pilot, lines(20_010, 20_000))
        await pilot.press("ctrl+c")
        assert host.clipboard == selected
        await pilot.press("escape")
        await pilot.pause()
        assert not host.pane._held


async def test_a_selection_in_wrapped_and_wide_text() -> None:
    host = LogHost()
    async with shown(host, (36, 10)) as pilot:
        host.pane.show(scene("web"))
        await push(host, pilot, [line("日本語 wide and then some more words to wrap")])
        await pilot.press("w")
        await pilot.pause()
        await drag(pilot, (15, 1), (17, 2))
        text = host.screen.get_selected_text()
        assert text is not None
        assert text.startswith("日本語 wide and")
        assert "日本語 wide and then some more words to wrap".startswith(text)


async def test_two_clicks_select_the_line_and_one_chooses_it() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, lines(0, 30))
        await pilot.click("#stdout", offset=(30, 4))
        await pilot.pause()
        assert host.pane.viewport.cursor == 23
        assert host.screen.get_selected_text() is None
        await pilot.click("#stdout", offset=(30, 4), times=2)
        await pilot.pause()
        assert host.screen.get_selected_text() == rows_of(host.pane)[3]
        await pilot.press("escape")
        await pilot.pause()
        assert host.screen.get_selected_text() is None


async def test_copying_a_line_and_all_that_is_shown() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        await push(host, pilot, [line("\x1b[31mred\x1b[0m"), line("other"), line("last [/")])
        await pilot.press("y")
        assert host.clipboard == "last [/"
        await pilot.press("ampersand", *"!other", "enter", "Y")
        assert host.clipboard == (
            "2026-11-21T10:00:00.000000Z web red\n2026-11-21T10:00:00.000000Z web last [/"
        )


async def test_what_a_terminal_does_not_take_is_cut_and_told() -> None:
    host = LogHost()
    async with shown(host) as pilot:
        said = copy(host, "日" * 50_000)
        assert "a terminal takes no more" in said
        assert len(base64.b64encode(host.clipboard.encode())) <= ENCODED_LIMIT
        assert set(host.clipboard) == {"日"}
        assert copy(host, "short") == "copied the line"
        await pilot.pause()


async def test_a_tool_of_the_desktop_gets_the_text(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tool = tmp_path / "wl-copy"
    tool.write_text(f"#!/bin/sh\ncat > {tmp_path}/copied\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    host = LogHost()
    async with shown(host):
        text = "x" * 100_000
        assert copy(host, text) == "copied the line"
        await host.workers.wait_for_complete()
        assert (tmp_path / "copied").read_text() == text
        assert host.clipboard == text


async def test_a_tool_that_fails_leaves_it_to_the_terminal(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tool = tmp_path / "xclip"
    tool.write_text("#!/bin/sh\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("DISPLAY", ":0")
    host = LogHost()
    async with shown(host):
        copy(host, "text")
        await host.workers.wait_for_complete()
        assert host.clipboard == "text"


def test_over_ssh_the_terminal_copies(tmp_path: Path) -> None:
    for name in ("wl-copy", "xclip", "pbcopy"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    path = {"PATH": str(tmp_path)}
    assert native_tool({**path, "DISPLAY": ":0"}, "linux") == [
        str(tmp_path / "xclip"),
        "-selection",
        "clipboard",
    ]
    assert native_tool({**path, "DISPLAY": ":0", "SSH_CONNECTION": "1"}, "linux") is None
    assert native_tool(path, "linux") is None
    assert native_tool(path, "darwin") == [str(tmp_path / "pbcopy")]


async def test_saving_says_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    host = LogHost()
    async with shown(host, (150, 20)) as pilot:
        host.pane.show(scene("web"))
        await push(host, pilot, lines(0, 3))
        await pilot.press("ampersand", *"!1", "enter", "s")
        await host.workers.wait_for_complete()
        await pilot.pause()
        (name,) = [each.name for each in os.scandir(tmp_path)]
        path = tmp_path / name
        assert name.startswith("shop-stdout-")
        assert [text.rpartition(" ")[2] for text in path.read_text().splitlines()] == ["0", "2"]
        assert any(str(path) in each.message for each in host._notifications)


async def test_a_folder_that_cannot_be_written_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    host = LogHost()
    async with shown(host, (150, 20)) as pilot:
        await push(host, pilot, lines(0, 3))
        monkeypatch.chdir(folder)
        folder.rmdir()
        await pilot.press("s")
        await host.workers.wait_for_complete()
        await pilot.pause()
        assert any("not saved" in each.message for each in host._notifications)


async def test_nothing_to_take_is_told() -> None:
    host = LogHost()
    async with shown(host, (150, 30)) as pilot:
        await pilot.press("y", "Y", "s", "enter")
        await pilot.pause()
        told = {each.message for each in host._notifications}
        assert told >= {"there is no line to copy", "there are no lines to save"}
        assert not isinstance(host.screen, LineScreen)
