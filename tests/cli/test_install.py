"""`agent install` where systemd does not run; the units themselves: tests/agent/test_unit.py."""

from __future__ import annotations

import json
import os
import pwd
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from core.agent import systemd
from core.agent import unit as unit_module
from core.agent.unit import Kind, installed
from core.cli.main import main
from core.files import Home

if TYPE_CHECKING:
    from collections.abc import Callable

    Install = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Install:
    """Runs the command; returns its exit code and what it answered."""
    program = tmp_path / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr(systemd, "_RUNNING", tmp_path / "no-systemd")
    monkeypatch.setattr(systemd, "_LINGERS", tmp_path / "linger")
    monkeypatch.setattr(unit_module, "SYSTEM_FOLDER", tmp_path / "system")

    def run(*flags: str) -> tuple[int, dict[str, Any]]:
        code = main(["agent", "install", "--output", "json", *flags], "compartment")
        return code, json.loads(capsys.readouterr().out)

    return run


def test_it_is_written_once_and_says_what_is_left_to_do(install: Install, home: Path) -> None:
    code, told = install("--user")
    assert code == 0
    path = Path(told["path"])
    assert (told["isStarted"], told["outlivesLogout"]) == (False, False)
    assert told["next"][:2] == [
        "systemctl --user daemon-reload",
        f"systemctl --user enable --now {told['unit']}",
    ]
    assert told["next"][2].startswith("sudo loginctl enable-linger ")
    written = path.stat().st_ino
    assert install("--user") == (0, told)
    assert path.stat().st_ino == written
    found = installed(Home(home))
    assert found is not None
    assert found.path == path


def test_it_is_shown_without_being_written(install: Install, home: Path) -> None:
    code, told = install("--user", "--print")
    assert code == 0
    assert "Type=notify" in told["text"]
    assert not Path(told["path"]).exists()
    assert not home.exists()


def test_one_that_we_wrote_before_is_replaced(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, told = install("--user")
    monkeypatch.setenv("COMPARTMENT_KEEP_RELEASES", "7")
    assert install("--user")[0] == 0
    assert "COMPARTMENT_KEEP_RELEASES=7" in Path(told["path"]).read_text()


def test_one_that_somebody_changed_is_left_alone(install: Install) -> None:
    _, told = install("--user")
    path = Path(told["path"])
    changed = path.read_text() + "Nice=5\n"
    path.write_text(changed)
    code, refused = install("--user")
    assert code == 1
    assert "was changed by hand" in refused["failureMessage"]
    assert "systemctl --user edit" in refused["error"]["hint"]
    assert path.read_text() == changed


def test_it_is_removed(install: Install, home: Path) -> None:
    _, told = install("--user")
    assert install("--remove")[0] == 0
    assert not Path(told["path"]).exists()
    assert installed(Home(home)) is None
    assert install("--remove") == (0, {"unit": None})


def test_one_home_has_one_unit(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("--user")
    code, refused = install("--system")
    assert code == 1
    assert "agent install --user --remove" in refused["error"]["hint"]
    assert install("--user", "--system")[0] == 2


def test_only_root_writes_one_of_the_system(
    install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    code, refused = install("--system")
    assert code == 1
    assert "sudo COMPARTMENT_HOME=" in refused["error"]["hint"]
    assert install("--print")[1]["kind"] == Kind.USER


@pytest.mark.skipif(os.getuid() != 0, reason="only root may give a folder away")
def test_root_installs_one_for_the_home_of_somebody_else(install: Install, home: Path) -> None:
    home.mkdir()
    os.chown(home, 65534, -1)
    code, told = install("--system")
    assert code == 0, told
    assert f"User={pwd.getpwuid(65534).pw_name}\n" in Path(told["path"]).read_text()
    # Its owner's agent makes what is in it.
    assert list(home.iterdir()) == []
