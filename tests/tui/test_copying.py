"""What is copied outside of the log panes: the same way, with the same words."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from textual.widgets import Input

from tests.tui.apps import dashboard, opened
from tui.clipboard import ENCODED_LIMIT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def no_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WAYLAND_DISPLAY", "DISPLAY", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)


async def test_what_a_terminal_does_not_take_is_cut_on_any_screen() -> None:
    async with opened(dashboard()) as hand:
        hand.app.copy_to_clipboard("x" * 100_000)
        assert len(base64.b64encode(hand.app.clipboard.encode())) <= ENCODED_LIMIT
        await hand.until(lambda: hand.toasts)
        assert "a terminal takes no more" in hand.toasts[-1]


async def test_a_selection_on_another_screen_goes_to_the_tool_of_the_desktop(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tool = tmp_path / "wl-copy"
    tool.write_text(f"#!/bin/sh\ncat > {tmp_path}/copied\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    async with opened(dashboard()) as hand:
        await hand.press("question_mark")
        await hand.until_on("HelpScreen")
        hand.app.screen.text_select_all()
        await hand.settle()
        selected = hand.app.screen.get_selected_text()
        assert selected
        await hand.press("ctrl+c")
        await hand.until((tmp_path / "copied").exists)
        await hand.until(lambda: (tmp_path / "copied").read_text() == selected)
        await hand.until(lambda: any(each.startswith("copied ") for each in hand.toasts))


async def test_what_was_typed_can_be_copied_and_pasted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tool = tmp_path / "xclip"
    tool.write_text("#!/bin/sh\ncat > /dev/null\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("DISPLAY", ":0")
    async with opened(dashboard()) as hand:
        await hand.press("2", "slash", *"word", "ctrl+a", "shift+home", "shift+end")
        typed = hand.app.focused
        assert isinstance(typed, Input)
        typed.select_all()
        await hand.press("ctrl+x")
        assert typed.value == ""
        await hand.press("ctrl+v", "ctrl+v")
        assert typed.value == "wordword"
