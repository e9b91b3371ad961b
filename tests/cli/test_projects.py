from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Cli


def test_init_makes_a_valid_project_and_never_overwrites(cli: Cli, folder: Path) -> None:
    made = cli("init")
    assert made.code == 0
    assert made.out.startswith("wrote compartment.yml: project my-shop ")
    assert cli("validate").out == ("project my-shop is valid: 1 service (web), 0 route rules\n")
    written = (folder / "compartment.yml").read_text()
    again = cli("init", "--name", "other")
    assert again.code == 1
    assert "exists already" in again.err
    assert (folder / "compartment.yml").read_text() == written


def test_init_as_a_document(cli: Cli, folder: Path) -> None:
    document = json.loads(cli("init", "--name", "shop", "--output", "json").out)
    assert document == {
        "file": "./compartment.yml",
        "descriptor": (folder / "compartment.yml").read_text(),
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--name", "No Such"], "cannot be the name of a project"),
    ],
)
def test_init_refuses(cli: Cli, folder: Path, arguments: list[str], message: str) -> None:
    done = cli("init", *arguments)
    assert done.code == 2
    assert message in done.err
    assert not list(folder.iterdir())


def test_init_in_a_folder_without_a_name(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "123").mkdir()
    monkeypatch.chdir(tmp_path / "123")
    done = cli("init")
    assert done.code == 2
    assert "compartment init --name NAME" in done.err


def test_validate_finds_the_project_upwards(
    cli: Cli, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(shop / "deep" / "er")
    document = json.loads(cli("validate", "--output", "json").out)
    assert document == {
        "project": "shop",
        "root": str(shop),
        "services": ["web", "backoffice"],
        "routes": 2,
        "problems": [],
        "notes": [],
    }


def test_problems_stand_on_lines_of_their_own(cli: Cli, shop: Path) -> None:
    (shop / "compartment.yml").write_text("name: shop\nservices:\n  web:\n    pth: .\n")
    done = cli("validate")
    assert done.code == 2
    assert done.out == ""
    assert done.err.splitlines()[0].startswith("error: ")
    assert 'compartment.yml:4:5: unknown key "pth" (did you mean "path"?)' in done.err.splitlines()
    document = json.loads(cli("validate", "--output", "json").out)
    assert document["failureMessage"] == document["error"]["message"]
    assert {"compartment.yml"} <= {each["file"] for each in document["error"]["problems"]}


def test_without_a_project(cli: Cli) -> None:
    for command in ("validate", "deploy", "status", "down"):
        done = cli(command)
        assert done.code == 2
        assert "no compartment.yml in" in done.err
        assert "compartment init" in done.err


def test_a_deploy_is_checked_before_any_agent_is_started(cli: Cli, shop: Path) -> None:
    unknown = cli("deploy", "--service", "wbe")
    assert unknown.code == 2
    assert unknown.err == ('error: there is no service wbe in shop\n  did you mean "web"?\n')
    name = cli("deploy", "--project", "No Such")
    assert name.code == 2
    assert "cannot be the name of a project" in name.err


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (["schema"], "services"),
        (["schema", "descriptor"], "services"),
        (["descriptor", "schema"], "services"),
        (["schema", "routes"], "routes"),
        (["descriptor", "routes-schema"], "routes"),
    ],
)
def test_schema(cli: Cli, arguments: list[str], key: str) -> None:
    done = cli(*arguments)
    assert done.code == 0
    assert key in json.loads(done.out)["properties"]


def test_routes_list(cli: Cli, shop: Path) -> None:
    assert cli("routes", "list").out.splitlines() == [
        "ON   METHODS   PATH         TO          TRANSFORM",
        "web  any       /api/*   ->  backoffice  (stripPrefix /api)",
        "web  GET,HEAD  /health  ->  backoffice",
    ]
    assert cli("routes", "list", "--service", "backoffice").out == "no route rules\n"
    assert cli("routes", "list", "--service", "nope").code == 2
    assert json.loads(cli("routes", "list", "--output", "json").out)["routes"][0] == {
        "on": "web",
        "path": "/api/*",
        "to": "backoffice",
        "stripPrefix": "/api",
    }


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (
            ["get", "/api/x?y=1"],
            ["rule 1 takes it: any /api/* -> backoffice (stripPrefix /api)",
             "backoffice sees /x?y=1"],
        ),
        (
            ["HEAD", "/health"],
            ["rule 2 takes it: GET,HEAD /health -> backoffice", "backoffice sees /health"],
        ),
        (["POST", "/health"], ["no rule takes it: web handles it itself", "it sees /health"]),
        (
            ["GET", "/api/x", "--service", "backoffice"],
            ["no rule takes it: backoffice handles it itself", "it sees /api/x"],
        ),
        (["GET", "/a/%2e%2e/b"], ["refused with 404: the path could be read in more than one way"]),
    ],
)  # fmt: skip
def test_routes_test(cli: Cli, shop: Path, arguments: list[str], lines: list[str]) -> None:
    done = cli("routes", "test", *arguments)
    assert (done.code, done.out.splitlines()) == (0, lines)


def test_routes_test_as_a_document(cli: Cli, shop: Path) -> None:
    done = cli("routes", "test", "GET", "/api", "--output", "json")
    found = json.loads(done.out)
    assert (found["ruleNumber"], found["to"], found["upstreamPath"]) == (1, "backoffice", "/")
    assert cli("routes", "test", "GET", "api").code == 2
    assert cli("routes", "test", "GET", "/", "--service", "nope").code == 2


@pytest.mark.parametrize(
    ("asking", "arguments", "who"),
    [
        ("backoffice", ["GET", "/api/x"], "backoffice"),
        ("backoffice", ["GET", "/"], None),
        ("backoffice", ["GET", "/a/../api"], None),
        ("web", ["GET", "/api/x"], "web"),
        ("web backoffice", ["GET", "/api/x"], "web and backoffice"),
        ("web", ["GET", "/"], "web"),
        ("web", ["GET", "/", "--service", "backoffice"], None),
    ],
)
def test_routes_test_says_whether_a_login_is_asked_for(
    cli: Cli, shop: Path, asking: str, arguments: list[str], who: str | None
) -> None:
    services = {
        name: {"path": ".", "kind": kind}
        | ({"accessMode": "authenticated"} if name in asking.split() else {})
        for name, kind in (("web", "web"), ("backoffice", "api"))
    }
    # JSON is YAML.
    (shop / "compartment.yml").write_text(json.dumps({"name": "shop", "services": services}))
    lines = cli("routes", "test", *arguments).out.splitlines()
    told = [line for line in lines if "login" in line]
    assert told == ([f"it needs a login: {who} asks for one"] if who else [])
    found = json.loads(cli("routes", "test", *arguments, "--output", "json").out)
    assert found["needsLogin"] is (who is not None)


def test_a_folder_that_is_gone(cli: Cli, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    done = cli("status")
    assert done.code == 2
    assert done.err == "error: the current folder does not exist any more\n"
