"""A project of Compose files, found and loaded from the disk."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from core.config.compose.options import ComposeOptions
from core.config.project import find_project, load_project
from core.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

COMPOSE = """\
services:
  app:
    image: nginx
    ports: ["8080:80"]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "My_Shop"
    folder.mkdir()
    (folder / "compose.yaml").write_text(COMPOSE)
    return folder


def test_a_folder_with_a_compose_file_is_a_project(root: Path) -> None:
    (root / "deep").mkdir()
    assert find_project(root / "deep") == root
    project = load_project(root)
    assert (project.name, project.root) == ("my-shop", root)
    assert project.is_compose
    assert project.files == (str(root / "compose.yaml"),)
    assert list(project.services) == ["app"]


def test_data_of_docker_compose_is_found_where_it_is(root: Path) -> None:
    text = f"{COMPOSE}    volumes: [data:/data]\nvolumes: {{data: {{}}}}\n"
    (root / "compose.yaml").write_text(text)
    container = load_project(root).services["app"].container
    assert container is not None
    assert container.mounts[0].name == "my_shop_data"


def test_a_compartment_yml_beside_it_comes_first(root: Path) -> None:
    (root / "compartment.yml").write_text("name: ours\nservices:\n  web: .\n")
    assert load_project(find_project(root)).name == "ours"
    options = ComposeOptions(files=(str(root / "compose.yaml"),))
    assert load_project(find_project(root, options), options).name == "my-shop"


def test_files_that_are_named_say_where_the_project_is(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    options = ComposeOptions(files=(str(root / "compose.yaml"),))
    assert find_project(elsewhere, options) == root


@pytest.mark.parametrize("is_in_dotenv", [True, False])
def test_a_variable_names_the_files(tmp_path: Path, *, is_in_dotenv: bool) -> None:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "prod.yaml").write_text(COMPOSE)
    environ = {"COMPOSE_FILE": "deploy/prod.yaml"}
    if is_in_dotenv:
        (tmp_path / ".env").write_text("COMPOSE_FILE=deploy/prod.yaml\n")
        environ = {}
    options = ComposeOptions(environ=environ)
    found = find_project(tmp_path, options)
    assert found == tmp_path
    project = load_project(found, options)
    assert project.root == tmp_path / "deploy"


def test_problems_of_the_mapping_have_their_place(root: Path) -> None:
    (root / "compose.yaml").write_text(f"{COMPOSE}    x-compartment:\n      knd: web\n")
    with pytest.raises(ConfigError) as caught:
        load_project(root)
    assert [str(each) for each in caught.value.problems] == [
        'compose.yaml:6:12: unknown key "knd" (did you mean "kind"?)'
    ]


def test_notes_come_with_the_project(root: Path) -> None:
    notes = [str(each) for each in load_project(root).notes]
    assert any(each.startswith("compose.yaml:3:12: ") for each in notes)


def test_without_any_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"and no Compose file$"):
        find_project(tmp_path)


def test_compose_files_load_no_pydantic(root: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from core.config.project import load_project\n"
        f"load_project(Path({str(root)!r}))\n"
        "print(*{'pydantic', 'textual', 'httpx', 'asyncio'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")
