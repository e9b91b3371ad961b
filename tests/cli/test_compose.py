"""`compose config` and `schema compose`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from core.cli.compose import dumped
from core.config.compose.keys.catalogue import rows
from core.config.compose.loading import load_compose
from core.config.compose.options import ComposeOptions
from tests.config.compose.agreement import Example, examples

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Cli

FILE = """\
name: shop
services:
  web:
    image: nginx:1.27
    environment: {PRICE: "5$$", OWNER: "${OWNER:-nobody}"}
    volumes: [pages:/pages]
  app:
    build: .
  tool:
    image: alpine:3.20
    profiles: [tools]
volumes:
  pages:
"""


@pytest.fixture
def project(folder: Path) -> Path:
    """A folder with a Compose file."""
    (folder / "compose.yaml").write_text(FILE)
    return folder


def test_config_prints_the_model(cli: Cli, project: Path) -> None:
    done = cli("compose", "config")
    assert done.code == 0
    model = json.loads(done.out)
    assert list(model) == ["name", "networks", "services", "volumes"]
    assert model["networks"] == {"default": {"ipam": {}, "name": "shop_default"}}
    assert model["volumes"] == {"pages": {"name": "shop_pages"}}
    assert model["services"]["app"] == {
        "build": {"context": str(project), "dockerfile": "Dockerfile"},
        "command": None,
        "entrypoint": None,
        "networks": {"default": None},
    }
    assert list(model["services"]) == ["app", "web"]


def test_config_reads_as_the_same_model_again(cli: Cli, project: Path) -> None:
    first = cli("compose", "config").out
    assert json.loads(first)["services"]["web"]["environment"]["PRICE"] == "5$$"
    (project / "again.json").write_text(first)
    assert cli("compose", "config", "-f", "again.json").out == first


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_every_model_reads_as_itself(example: Example, tmp_path: Path) -> None:
    files = tuple(str(example.folder / file) for file in example.files)
    model = load_compose(example.folder, ComposeOptions(files=files)).model
    (tmp_path / "compose.yaml").write_text(dumped(model))
    assert load_compose(tmp_path, ComposeOptions()).model == model


def test_config_takes_variables_from_a_file(cli: Cli, project: Path) -> None:
    (project / "other.env").write_text("OWNER=ann\n")
    done = cli("compose", "config", "--env-file", "other.env")
    assert json.loads(done.out)["services"]["web"]["environment"]["OWNER"] == "ann"


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["--services"], ["app", "web"]),
        (["--services", "--profile", "tools"], ["app", "tool", "web"]),
        (["--volumes"], ["pages"]),
        (["--images"], ["nginx:1.27", "shop-app"]),
        (["--profiles"], ["tools"]),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("project")
def test_config_prints_one_list(cli: Cli, arguments: list[str], lines: list[str]) -> None:
    assert cli("compose", "config", *arguments).out.splitlines() == lines
    assert json.loads(cli("compose", "config", *arguments, "--output", "json").out) == lines


@pytest.mark.usefixtures("project")
def test_notes_do_not_come_between(cli: Cli) -> None:
    done = cli("compose", "config", "--services")
    assert done.err.startswith("note: compose.yaml:3:3: the log of a container grows")
    assert "note" not in done.out


def test_config_tells_all_problems(cli: Cli, project: Path) -> None:
    (project / "compose.yaml").write_text("services:\n  web:\n    imgae: x\n    tty: 5\n")
    done = cli("compose", "config")
    assert (done.code, done.out) == (2, "")
    assert done.err.splitlines() == [
        "error: 2 problems in compose.yaml",
        'compose.yaml:3:5: unknown key "imgae" (did you mean "image"?)',
        'compose.yaml:4:10: "tty" must be true or false, not 5',
    ]


def test_schema_lists_every_key(cli: Cli) -> None:
    listed = json.loads(cli("schema", "compose", "--output", "json").out)
    assert len(listed) == len(rows())
    by_key = {each["key"]: each for each in listed}
    assert by_key["services.*.image"]["tier"] == "honoured"
    assert by_key["services.*.develop"]["tier"] == "noted"
    assert by_key["services.*.provider"] == {
        "key": "services.*.provider",
        "tier": "refused",
        "how": "run it as a service with an image",
    }


def test_schema_as_text_is_a_table(cli: Cli) -> None:
    lines = cli("schema", "compose").out.splitlines()
    assert lines[0].split() == ["KEY", "TIER", "HOW"]
    assert len(lines) == len(rows()) + 1
