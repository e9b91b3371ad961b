from __future__ import annotations

import os
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from core.errors import CompartmentError
from core.files import Home, is_seen_by, write_atomically

if TYPE_CHECKING:
    from pathlib import Path


def test_a_write_replaces_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old and long")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_waits_for_the_disk_only_where_it_has_to_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[int] = []
    monkeypatch.setattr(os, "fsync", waited.append)
    write_atomically(tmp_path / "record", b"new")
    assert len(waited) == 1
    write_atomically(tmp_path / "routes", b"new", outlives_power_loss=False)
    assert len(waited) == 1
    assert (tmp_path / "routes").read_bytes() == b"new"


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "not bytes")  # type: ignore[arg-type]  # the point
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_home_is_private(home: Path) -> None:
    found = Home.locate()
    assert found.root == home
    found.create()
    for folder in (found.root, found.sockets, found.logs, found.gateway):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_home_that_others_could_enter_is_closed(home: Path) -> None:
    home.mkdir(mode=0o755, parents=True)
    home.chmod(0o755)
    Home(home).create()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_the_platforms_folder_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMPARTMENT_HOME")
    assert Home.locate().root.name == "compartment"


def test_sockets_of_a_long_home_move_to_a_short_private_folder(tmp_path: Path) -> None:
    long, other = (Home(tmp_path / (letter * 90)) for letter in "ab")
    assert len(str(long.sockets)) < 60
    assert long.sockets != other.sockets
    long.create()
    assert stat.S_IMODE(long.sockets.stat().st_mode) == 0o700
    long.sockets.rmdir()


def test_a_file_in_the_way_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(CompartmentError, match="cannot use the home folder"):
        Home(tmp_path / "home").create()


def test_who_has_another_folder_at_its_path_does_not_see_ours(tmp_path: Path) -> None:
    assert is_seen_by(tmp_path, os.getpid())
    if not shutil.which("unshare"):
        pytest.skip("there is nobody to have another folder there")
    over = f"mount -t tmpfs none '{tmp_path}' && echo there && exec cat"
    line, pipe = ["unshare", "--mount", "sh", "-c", over], subprocess.PIPE
    with subprocess.Popen(line, stdin=pipe, stdout=pipe) as other:
        assert other.stdout is not None
        if other.stdout.readline() != b"there\n":
            pytest.skip("only root can mount another folder there")
        assert not is_seen_by(tmp_path, other.pid)
        other.kill()
    assert not is_seen_by(tmp_path, other.pid)
