"""What `doctor` says of the Docker Engine."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from core.cli.checks import Check, Level
from core.cli.docker import docker_checks
from core.cli.main import main
from core.engines.docker import places
from core.engines.docker.endpoint import Mode, find
from core.files import Home
from core.journal.schema import TABLES, statement
from core.model import EngineName
from core.records import EnvironmentRecord, Target
from tests.engines.docker.fake_engine import engine, listening

if TYPE_CHECKING:
    from pathlib import Path

DESKTOP = engine(info={"OperatingSystem": "Docker Desktop"})


@pytest.fixture(autouse=True)
def machine(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without an engine and without Docker's command."""
    root = home.parent
    monkeypatch.setattr(places, "SYSTEM_SOCKET", str(root / "docker.sock"))
    monkeypatch.setattr(places, "SYSTEM_PODMAN", str(root / "podman.sock"))
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    (root / "bin").mkdir()
    monkeypatch.setenv("PATH", str(root / "bin"))
    return root


def checks(home: Path) -> list[Check]:
    return docker_checks(Home(home), os.environ)


def deploy_to_docker(home: Path) -> None:
    """Leaves a journal behind as if an environment lived on the engine that is there now."""
    found = find(os.environ)
    kept = f"{found.mode} {found.api} {found.socket}"
    Home(home).create()
    with closing(sqlite3.connect(home / "journal.db")) as journal:
        journal.executescript(TABLES)
        journal.execute("INSERT INTO settings VALUES ('docker', ?), ('ports', '0 0 ::1')", (kept,))
        record = EnvironmentRecord(Target("shop", "production"), EngineName.DOCKER, "/shop")
        journal.execute(*statement(record))
        journal.commit()


def test_none_is_no_failure(home: Path) -> None:
    (check,) = checks(home)

    assert check.level is Level.WARNING
    assert check.found == "there is no Docker Engine on this machine; services run as processes"
    assert check.mend is not None


def test_what_a_mode_costs(home: Path, machine: Path) -> None:
    with listening(machine / "docker.sock", DESKTOP):
        check, _ = checks(home)

    assert check.level is Level.WARNING
    assert check.found == (
        f"engine 27.1.2 at {machine}/docker.sock, at its usual place; {Mode.PUBLISHED.cost}"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can enter the namespaces of containers")
def test_the_best_mode_costs_nothing(home: Path, machine: Path) -> None:
    with listening(machine / "docker.sock", engine()):
        assert checks(home)[0].level is Level.OK


def test_one_that_is_lived_on_is_needed(
    home: Path, machine: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(machine / "docker.sock", engine()):
        deploy_to_docker(home)
        monkeypatch.setattr(places, "SYSTEM_SOCKET", str(machine / "none.sock"))
        assert checks(home)[0].found.startswith("engine 27.1.2")

    assert main(["doctor"], "compartment") == 4
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "docker" in line[:16])
    assert line.split() == [
        *("FAIL", "docker", "the", "Docker", "Engine", "at", f"{machine}/docker.sock,"),
        *("which", "this", "home", "folder", "uses,", "is", "not", "there"),
    ]


def test_a_journal_that_knows_nothing_of_it(home: Path) -> None:
    Home(home).create()
    (home / "journal.db").write_bytes(b"no database" * 100)

    assert checks(home)[0].level is Level.WARNING


def test_the_builder(home: Path, machine: Path) -> None:
    command = machine / "bin" / "docker"
    with listening(machine / "docker.sock", engine()):
        without = checks(home)[1]
        command.write_text("#!/bin/sh\necho github.com/docker/buildx v0.14.0 171fcbe\n")
        command.chmod(0o755)
        found = checks(home)[1]

    assert (without.level, found.level) == (Level.WARNING, Level.OK)
    assert found.found == "BuildKit, through buildx v0.14.0"
