"""The demo deletes its home folder, so it must be sure that it is its own."""

from __future__ import annotations

import asyncio
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from core.errors import CompartmentError, UsageError
from core.files import Home
from tui.demo.folder import DemoFolder

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_that_is_not_there_yet_is_taken(home: Path) -> None:
    folder = DemoFolder.locate()
    assert folder.home.root == home
    assert not folder.is_there
    folder.claim()
    assert folder.is_there
    folder.claim()
    assert folder.is_there


def test_without_a_name_it_is_never_the_folder_of_real_projects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("COMPARTMENT_HOME")
    folder = DemoFolder.locate()
    assert folder.home != Home.locate()
    folder.claim()
    assert os.environ["COMPARTMENT_HOME"] == str(folder.home.root)
    monkeypatch.delenv("COMPARTMENT_HOME")  # which the demo has set, for this process


def test_a_home_folder_in_use_is_refused_and_stays(home: Path) -> None:
    home.mkdir()
    (home / "journal.db").write_bytes(b"precious")
    with pytest.raises(UsageError, match="in use"):
        DemoFolder.locate().claim()
    assert [file.name for file in home.iterdir()] == ["journal.db"]


def test_stopping_one_that_never_ran_only_deletes_it(home: Path) -> None:
    folder = DemoFolder.locate()
    folder.claim()
    asyncio.run(folder.stop())
    assert not home.exists()


def test_what_somebody_else_has_stopped_is_stopped(home: Path) -> None:
    folder = DemoFolder.locate()
    folder.claim()
    shutil.rmtree(home)
    asyncio.run(folder.stop())
    assert not home.exists()


def test_a_home_folder_of_real_projects_is_never_deleted(home: Path) -> None:
    home.mkdir()
    (home / "journal.db").write_bytes(b"precious")
    asyncio.run(DemoFolder.locate().stop())
    assert (home / "journal.db").read_bytes() == b"precious"


def test_one_that_was_only_half_made_can_be_made_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise CompartmentError("no space left")

    folder = DemoFolder.locate()
    with monkeypatch.context() as patched:
        patched.setattr(Home, "create", full)
        with pytest.raises(CompartmentError, match="no space"):
            folder.claim()
    (home / "logs").mkdir()
    folder.claim()
    asyncio.run(folder.stop())
    assert not home.exists()


def test_sockets_elsewhere_are_deleted_as_well(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = home / ("long" * 30)
    monkeypatch.setenv("COMPARTMENT_HOME", str(deep))
    folder = DemoFolder.locate()
    folder.claim()
    sockets = folder.home.sockets
    assert sockets.exists()
    assert not sockets.is_relative_to(deep)
    asyncio.run(folder.stop())
    assert not sockets.exists()
    assert not deep.exists()
