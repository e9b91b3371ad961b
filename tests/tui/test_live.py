"""Which project the dashboard is opened for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import ConfigError, UsageError
from tui.arguments import parse
from tui.live import project_of

if TYPE_CHECKING:
    from pathlib import Path

COMPOSE = """\
name: shop
services:
  web: {image: "nginx:${TAG:-1}"}
  tool: {image: a, profiles: [tools]}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "compose.yaml").write_text(COMPOSE)
    (tmp_path / "other.env").write_text("TAG=2\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TAG", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("given", "services", "image"),
    [
        ([], ["web"], "nginx:1"),
        (["."], ["web"], "nginx:1"),
        (["-f", "compose.yaml"], ["web"], "nginx:1"),
        (["--env-file", "other.env"], ["web"], "nginx:2"),
        (["--profile", "tools"], ["tool", "web"], "nginx:1"),
        (["--project", "shop"], ["web"], "nginx:1"),
    ],
)
def test_compose_files_that_are_here_or_named(
    folder: Path, given: list[str], services: list[str], image: str
) -> None:
    here = project_of(parse(given))
    assert here is not None
    assert (here.project.name, sorted(here.project.services)) == ("shop", services)
    container = here.project.services["web"].container
    assert container is not None
    assert container.image == image
    assert here.options.files == (str(folder / "compose.yaml"),)


def test_another_project_is_looked_for_by_its_name(folder: Path) -> None:
    assert project_of(parse(["--project", "other"])) is None
    assert project_of(parse(["--project", "other", "elsewhere"])) is not None


def test_what_is_wrong_with_a_compose_file_is_told(folder: Path) -> None:
    (folder / "compose.yaml").write_text("services: {web: {imgae: a}}\n")
    with pytest.raises(ConfigError) as caught:
        project_of(parse([]))
    assert caught.value.problems[0].line == 1


def test_a_compose_file_is_named_with_its_flag(folder: Path) -> None:
    with pytest.raises(UsageError) as caught:
        project_of(parse(["compose.yaml"]))
    assert caught.value.hint == "name a folder, or a Compose file with -f"
