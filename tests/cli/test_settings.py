"""What commands make of the settings file."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from core.agent.launcher import launch
from core.errors import ConfigError
from core.files import Home

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Cli

PROBLEMS = ['1:8: "port" must be at most 65535, not 80000', '2:1: unknown key "hots" (did you mean']


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file, which is wrong."""
    found = tmp_path / "settings.toml"
    found.write_text('port = 80000\nhots = "::1"\n')
    monkeypatch.setenv("COMPARTMENT_CONFIG", str(found))
    return found


@pytest.mark.parametrize("command", [["agent", "start"], ["agent", "run"], ["validate"]])
@pytest.mark.usefixtures("shop")
def test_wrong_settings_are_told_and_start_nothing(
    cli: Cli, file: Path, home: Path, command: list[str]
) -> None:
    done = cli(*command)

    assert done.code == 2
    first, *problems = done.err.splitlines()
    assert first == f"error: 2 problems in {file}"
    for problem, expected in zip(problems, PROBLEMS, strict=True):
        assert problem.startswith(f"{file}:{expected}")
    assert not home.exists()


def test_an_agent_that_is_to_start_by_itself_says_the_same(file: Path, home: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        asyncio.run(launch(Home(home)))

    assert len(caught.value.problems) == 2
    assert not Home(home).agent_socket.exists()


@pytest.mark.usefixtures("shop")
def test_right_settings_change_nothing_of_validate(cli: Cli, file: Path) -> None:
    file.write_text("port = 9000\n")

    assert cli("validate").code == 0


def checks(done_out: str) -> dict[str, dict[str, str]]:
    return {check["name"]: check for check in json.loads(done_out)["checks"]}


def test_doctor_shows_the_file(cli: Cli, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = cli("doctor", "--output", "json")
    assert wrong.code == 1
    found = checks(wrong.out)["settings"]
    assert found["level"] == "fail"
    assert found["found"].startswith(f"2 problems in {file}: {file}:1:8: ")
    assert "compartment validate" in found["mend"]

    file.write_text("internal_port = 0\n")
    right = checks(cli("doctor", "--output", "json").out)
    assert (right["settings"]["level"], right["settings"]["found"]) == ("ok", str(file))
    assert right["internal port"]["found"].startswith("any free one")

    file.write_text('base_domain = "no.invalid"\n')
    names = checks(cli("doctor", "--output", "json").out)["names"]
    assert (names["level"], names["found"]) == ("warning", "*.no.invalid does not resolve")

    file.write_text("port = 8081\n")
    both = checks(cli("doctor", "--output", "json").out)["public port"]
    assert both["found"] == "port 8081 cannot be both the public and the internal one"

    monkeypatch.delenv("COMPARTMENT_CONFIG")
    none = checks(cli("doctor", "--output", "json").out)["settings"]
    assert none["level"] == "ok"
    assert none["found"].startswith("no ")
