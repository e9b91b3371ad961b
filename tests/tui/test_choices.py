"""Choices outlive the dashboard, and a damaged file does not keep it from starting."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tui.choices import Choices

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "home" / "dashboard.json"


def test_nothing_is_written_before_something_is_chosen(file: Path) -> None:
    choices = Choices.load(file)
    assert choices.theme == "compartment-dark"
    assert choices.warning is None
    assert not file.exists()


def test_choices_come_back(file: Path) -> None:
    choices = Choices.load(file)
    for name, value in (("theme", "nord"), ("is_detail_hidden", True), ("time", "none")):
        assert choices.set(name, value) is None
    choices.set("splits", {"wide": -3, "narrow": 2})
    again = Choices.load(file)
    assert (again.theme, again.is_detail_hidden, again.time) == ("nord", True, "none")
    assert again.splits == {"wide": -3, "narrow": 2}
    assert again.warning is None
    assert file.stat().st_mode & 0o077 == 0


def test_read_only_reads_and_never_writes(file: Path) -> None:
    Choices.load(file).set("theme", "nord")
    before = file.read_bytes()
    choices = Choices.load(file, is_read_only=True)
    assert choices.theme == "nord"
    assert choices.set("theme", "dracula") is None
    assert choices.theme == "dracula"
    assert file.read_bytes() == before


@pytest.mark.parametrize("damaged", [b'{"theme": "nord"', b"[]", b"\xff\xfe", b"", b"null"])
def test_a_damaged_file_means_defaults_one_warning_and_a_whole_file_next(
    file: Path, damaged: bytes
) -> None:
    file.parent.mkdir()
    file.write_bytes(damaged)
    choices = Choices.load(file)
    assert choices.theme == "compartment-dark"
    assert choices.warning is not None
    assert str(file) in choices.warning
    assert "\n" not in choices.warning
    choices.set("sort", "attention")
    again = Choices.load(file)
    assert (again.sort, again.warning) == ("attention", None)


def test_what_cannot_be_used_is_named_and_the_rest_holds(file: Path) -> None:
    file.parent.mkdir()
    file.write_text(json.dumps({"theme": "no-such", "is_wrapped": "yes", "sort": "attention"}))
    choices = Choices.load(file)
    assert choices.warning is not None
    assert "theme, is_wrapped" in choices.warning
    assert (choices.theme, choices.is_wrapped) == ("compartment-dark", False)
    assert choices.sort == "attention"


@pytest.mark.parametrize(
    ("name", "value"),
    [("sort", "size"), ("sort", []), ("time", "later"), ("splits", {"wide": "3"}), ("theme", 1)],
)
def test_a_value_that_means_nothing_is_not_taken(file: Path, name: str, value: object) -> None:
    file.parent.mkdir()
    file.write_text(json.dumps({name: value}))
    choices = Choices.load(file)
    assert choices.warning is not None
    assert name in choices.warning
    assert getattr(choices, name) == getattr(Choices(), name)


def test_keys_of_a_later_version_and_choices_of_another_dashboard_stay(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"later": [1, 2], "theme": "nord"}')
    mine, other = Choices.load(file), Choices.load(file)
    assert mine.warning is None
    other.set("sort", "attention")
    mine.set("is_wrapped", True)
    assert json.loads(file.read_text()) == {
        "later": [1, 2], "theme": "nord", "sort": "attention", "is_wrapped": True,
    }  # fmt: skip


def test_a_choice_that_cannot_be_saved_still_holds(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    choices = Choices.load(tmp_path / "other" / "dashboard.json")
    choices.path = tmp_path / "home" / "dashboard.json"
    told = choices.set("theme", "nord")
    assert told is not None
    assert "cannot remember" in told
    assert choices.theme == "nord"
