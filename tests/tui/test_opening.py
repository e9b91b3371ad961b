"""What the dashboard is opened with."""

from __future__ import annotations

import pytest

from core.errors import UsageError
from tui.arguments import parse
from tui.choices import Choices
from tui.opening import options_of
from tui.themes import THEMES


def test_flags_become_options_and_notes() -> None:
    found = options_of(parse(["--ascii", "--read-only", "--slow-link"]), Choices())
    assert (found.is_ascii, found.is_read_only, found.is_slow_link) == (True, True, True)
    assert found.notes == ("read-only", "slow link")
    usual = options_of(parse([]), Choices())
    assert (usual.is_read_only, usual.is_slow_link, usual.notes, usual.warnings) == (
        False, False, (), (),
    )  # fmt: skip


def test_a_recording_cannot_change_anything() -> None:
    found = options_of(parse(["--replay", "x"]), Choices(), "replay")
    assert found.is_read_only
    assert found.notes == ("replay",)


def test_ascii_where_nothing_else_can_be_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    monkeypatch.setenv("TERM", "xterm")
    assert not options_of(parse([]), Choices()).is_ascii
    monkeypatch.setenv("TERM", "linux")
    assert options_of(parse([]), Choices()).is_ascii


def test_a_theme_by_name() -> None:
    assert options_of(parse(["--theme", "nord"]), Choices()).theme == "nord"
    assert options_of(parse([]), Choices()).theme is None
    with pytest.raises(UsageError, match="there is no theme nrod") as caught:
        options_of(parse(["--theme", "nrod"]), Choices())
    assert "nord" in (caught.value.hint or "")


def test_a_theme_that_was_chosen_once_and_is_gone() -> None:
    found = options_of(parse([]), Choices(theme="of-a-later-version"))
    assert found.theme == THEMES[0].name
    assert found.warnings == ("the theme of-a-later-version is not there any more",)


def test_what_is_wrong_with_the_persons_own_files_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("COMPARTMENT_KEYS", f"{tmp_path}/keys.toml")
    found = options_of(parse([]), Choices(warning="dashboard.json is no JSON"))
    assert len(found.warnings) == 2
    assert found.warnings[1] == "dashboard.json is no JSON"
