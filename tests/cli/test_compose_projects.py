"""Commands in a folder with Compose files, or with files that are named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from core.cli import runs
from core.cli.exits import Exit
from core.cli.parser import parse
from core.cli.target import services_in_file, target_of
from core.config.compose.options import ComposeOptions
from tests.compose_projects import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Cli

COMPOSE = """\
services:
  app:
    image: nginx:1.27
    ports: ["127.0.0.1:8080:80"]
  tool:
    image: alpine:3.20
    profiles: [tools]
  lib:
    build: ./lib
"""


@pytest.fixture
def compose(folder: Path) -> Path:
    (folder / "compose.yaml").write_text(COMPOSE)
    return folder


def test_validate_tells_notes_and_is_content(cli: Cli, compose: Path) -> None:
    done = cli("validate")
    assert (done.code, done.err) == (0, "")
    *notes, told = done.out.splitlines()
    assert told == "project myshop is valid: 2 services (app, lib)"
    assert notes
    assert all(each.startswith("note: compose.yaml:") for each in notes)
    document = json.loads(cli("validate", "--output", "json").out)
    assert document["files"] == [str(compose / "compose.yaml")]
    assert len(document["notes"]) == len(notes)
    assert document["notes"][0]["file"] == "compose.yaml"


def test_problems_of_the_files_and_of_roles(cli: Cli, compose: Path) -> None:
    (compose / "compose.yaml").write_text(f"{COMPOSE}    x-compartment: {{kind: web}}\n")
    done = cli("validate")
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        "error: 1 problem in compose.yaml",
        "compose.yaml:10:27: kind web needs a port that speaks HTTP"
        " (name it: x-compartment: {kind: web, port: 3000})",
    ]


UNDEFINED = {"15:18": '"db"', "15:22": '"redis"', "22:18": '"redis"', "22:25": '"db"'}


def test_services_that_are_not_there(cli: Cli, folder: Path) -> None:
    (folder / "docker-compose.yml").write_text(
        (FOLDER / "first-as-it-stands" / "docker-compose.yml").read_text()
    )
    for command in ("validate", "deploy"):
        done = cli(command)
        assert (done.code, done.out) == (2, "")
        assert done.err.splitlines() == [
            "error: 4 problems in docker-compose.yml",
            *(
                f"docker-compose.yml:{place}: the service {name} is not defined"
                ' (add it below "services:")'
                for place, name in UNDEFINED.items()
            ),
        ]


def test_files_can_be_named_before_and_after_the_command(cli: Cli, compose: Path) -> None:
    (compose / "prod").mkdir()
    (compose / "compose.yaml").rename(compose / "prod" / "base.yaml")
    (compose / "over.yaml").write_text("services: {app: {image: nginx:1.28}}\n")
    (compose / "vars").write_text("COMPOSE_PROJECT_NAME=named\n")
    named = ("--env-file", "vars", "-f", "prod/base.yaml", "-f", "over.yaml")
    for words in (("validate", *named), (*named, "validate")):
        assert "project named is valid" in cli(*words).out
    assert "3 services" in cli("validate", *named, "--profile", "tools").out
    assert cli("validate", "-f", "prod/base.yaml").out.endswith("(app, lib)\n")


@pytest.mark.parametrize("text", ["-", "nowhere.yaml"])
def test_files_that_cannot_be_read(cli: Cli, folder: Path, text: str) -> None:
    done = cli("validate", "-f", text)
    assert done.code == 2
    assert "Traceback" not in done.err


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is asked of the agent."""
    found: list[dict[str, Any]] = []

    def carry_out(body: dict[str, Any], *_: object) -> Exit:
        found.append(body)
        return Exit.DONE

    monkeypatch.setattr(runs, "_carry_out", carry_out)
    return found


def test_a_deploy_names_the_files(cli: Cli, compose: Path, asked: list[dict[str, Any]]) -> None:
    assert cli("deploy", "--profile", "x", "--service", "tool").code == 0
    (body,) = asked
    assert body["project"] == "myshop"
    assert body["root"] == str(compose)
    assert body["files"] == [str(compose / "compose.yaml")]
    assert (body["envFiles"], body["profiles"]) == ([], ["x"])
    assert body["environ"]["COMPARTMENT_HOME"]


def test_variables_beside_the_variable_that_names_the_files_are_kept(
    cli: Cli, compose: Path, asked: list[dict[str, Any]]
) -> None:
    (compose / "in").mkdir()
    (compose / "compose.yaml").rename(compose / "in" / "prod.yaml")
    (compose / ".env").write_text("COMPOSE_FILE=in/prod.yaml\n")
    assert cli("redeploy").code == 0
    assert asked[0]["root"] == str(compose / "in")
    assert asked[0]["files"] == [str(compose / "in" / "prod.yaml")]
    assert asked[0]["envFiles"] == [str(compose / ".env")]


def test_a_compartment_yml_is_sent_without_files(
    cli: Cli, shop: Path, asked: list[dict[str, Any]]
) -> None:
    (shop / "compose.yaml").write_text(COMPOSE)
    assert cli("deploy").code == 0
    assert "files" not in asked[0]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (COMPOSE, "myshop"),
        (f"name: a_b\n{COMPOSE}", "a-b"),
        (f"name: x-${{NAME}}\n{COMPOSE}", "x-set"),
        ("name: shop\nservices: {app: {imgae: x}}\n", "shop"),
    ],
)
def test_the_name_needs_no_valid_file(
    compose: Path, monkeypatch: pytest.MonkeyPatch, text: str, name: str
) -> None:
    monkeypatch.setenv("NAME", "set")
    (compose / "compose.yaml").write_text(text)
    assert target_of(parse(["status"], "compartment"))["project"] == name
    monkeypatch.setenv("COMPOSE_PROJECT_NAME", "other")
    assert target_of(parse(["status"], "compartment"))["project"] == "other"
    assert target_of(parse(["status", "--project", "p"], "compartment"))["project"] == "p"


def test_services_by_name(compose: Path) -> None:
    assert services_in_file("myshop", ComposeOptions()) == ("app", "tool", "lib")
    assert services_in_file("other", ComposeOptions()) == ()


def test_what_a_service_is_built_with(cli: Cli, compose: Path) -> None:
    assert cli("dockerfile", "--service", "lib").out == f"{compose}/lib/Dockerfile\n"
    done = cli("dockerfile", "--service", "app")
    assert (done.code, done.err) == (
        2, "error: app is not built: it runs the image nginx:1.27\n",
    )  # fmt: skip


def test_init_writes_the_equivalent_once(cli: Cli, compose: Path) -> None:
    (compose / "lib").mkdir()
    done = cli("init", "--from-compose")
    assert (done.code, done.err) == (0, "")
    assert "  compose.yaml:3:12: app is an image" in done.out
    written = (compose / "compartment.yml").read_text()
    assert written.startswith("name: myshop\nservices:\n  lib:\n    path: lib\n")
    assert "project myshop is valid: 1 service (lib)" in cli("validate").out
    again = cli("init", "--from-compose", "-f", "compose.yaml")
    assert (again.code, "exists already" in again.err) == (1, True)
    assert (compose / "compartment.yml").read_text() == written


def test_init_where_nothing_is_built(cli: Cli, compose: Path) -> None:
    (compose / "compose.yaml").write_text("services: {db: {image: postgres}}\n")
    done = cli("init", "--from-compose")
    assert done.code == 2
    assert done.err.splitlines() == [
        "error: nothing here is built from source, and a compartment.yml has no images",
        "  deploy the Compose files as they are: compartment deploy",
    ]
    assert not (compose / "compartment.yml").exists()


def test_init_writes_both_files_or_none(cli: Cli, compose: Path) -> None:
    rule = "traefik.http.routers.lib.rule=PathPrefix(`/lib`)"
    front = "  front: {build: ., ports: ['80:3000']}\n"
    text = f"{COMPOSE}    expose: [8000]\n    labels: ['{rule}']\n{front}"
    (compose / "compose.yaml").write_text(text)
    (compose / "lib").mkdir()
    routes = compose / "compartment.routes.yml"
    routes.write_text("mine")
    assert cli("init", "--from-compose").code == 1
    assert not (compose / "compartment.yml").exists()
    routes.unlink()
    assert cli("init", "--from-compose").code == 0
    assert "/lib/*" in cli("routes", "list").out
