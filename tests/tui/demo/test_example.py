"""The examples of the demo, their copies and their next versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.config.project import load_project
from core.errors import UsageError
from tui.demo.example import EXAMPLES, Example, bump, example

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=EXAMPLES, ids=lambda each: each.name)
def chosen(request: pytest.FixtureRequest) -> Example:
    found: Example = request.param
    return found


def versions(project: Path) -> set[str]:
    return {file.read_text() for file in project.rglob("VERSION")}


def test_a_copy_is_a_project_of_that_name(chosen: Example, tmp_path: Path) -> None:
    project = chosen.copy_to(tmp_path)
    assert load_project(project).name == chosen.name
    assert not list(project.rglob("__pycache__"))


def test_only_the_copy_is_slow_enough_to_be_watched(tmp_path: Path) -> None:
    chosen = example("multi-service")
    slow = load_project(chosen.copy_to(tmp_path)).services
    usual = load_project(chosen.source).services
    assert slow.keys() == usual.keys() == chosen.paces.keys()
    for name in slow:
        assert "sleep" in (slow[name].build.command or "")
        assert usual[name].build.command is None
        assert slow[name].readiness == usual[name].readiness


def test_a_copy_that_a_person_changed_is_kept(chosen: Example, tmp_path: Path) -> None:
    project = chosen.copy_to(tmp_path)
    (project / "README.md").write_text("mine")
    assert chosen.copy_to(tmp_path) == project
    assert (project / "README.md").read_text() == "mine"


def test_every_service_gets_the_next_version(chosen: Example, tmp_path: Path) -> None:
    project = chosen.copy_to(tmp_path)
    assert versions(project) == {"1.0.0\n"}
    assert bump(project) == "1.1.0"
    assert versions(project) == {"1.1.0\n"}
    assert versions(chosen.source) == {"1.0.0\n"}


@pytest.mark.parametrize("written", ["mine", "", "1", "1.x.0", "v1.0.0-rc.2", "1.²"])
def test_a_version_that_a_person_wrote_is_no_obstacle(tmp_path: Path, written: str) -> None:
    project = example("multi-service").copy_to(tmp_path)
    next(project.rglob("VERSION")).write_text(written)
    assert bump(project) == "1.1.0"
    assert bump(project) == "1.2.0"


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="no demo lifecycle") as refused:
        example("lifecycle")
    assert refused.value.hint is not None
    assert "lifecycle-lab" in refused.value.hint
