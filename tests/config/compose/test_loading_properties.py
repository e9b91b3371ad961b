from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.config.compose.loading import load_compose
from core.config.compose.options import ComposeOptions
from core.errors import ConfigError
from tests.config.compose.trees import almost_projects, anything, projects

if TYPE_CHECKING:
    from pathlib import Path

    from core.config.compose.loading import Loaded

few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
many = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])

ENVIRON = {"A": "1"}
LONGEST_S = 10.0
"""Far above what any of these takes, so that a busy machine is none of it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shop")


def load(folder: Path, *contents: bytes) -> Loaded:
    names = [f"{number}.yml" for number in range(len(contents))]
    for name, content in zip(names, contents, strict=True):
        (folder / name).write_bytes(content)
    return load_compose(folder, ComposeOptions(files=tuple(names), environ=ENVIRON))


def as_yaml(data: Any) -> bytes:
    return yaml.safe_dump(data, allow_unicode=True, sort_keys=False).encode()


def as_json(data: Any) -> bytes:
    return json.dumps(data).encode()


def escaped(data: Any) -> Any:
    """What has to be written so that it is read as it is."""
    if isinstance(data, dict):
        return {key: escaped(value) for key, value in data.items()}
    if isinstance(data, list):
        return [escaped(value) for value in data]
    return data.replace("$", "$$") if isinstance(data, str) else data


@few
@given(project=projects(), dump=st.sampled_from([as_yaml, as_json]))
def test_a_model_that_is_written_is_read_as_it_was(folder: Path, project: Any, dump: Any) -> None:
    model = load(folder, as_yaml(project)).model

    assert load(folder, dump(escaped(model))).model == model


@few
@given(project=projects())
def test_a_file_that_is_laid_over_itself_says_the_same(folder: Path, project: Any) -> None:
    text = as_yaml(project)

    assert load(folder, text, text).model == load(folder, text).model


def check_any(folder: Path, *contents: bytes) -> None:
    """Whatever files hold, there is a model, or problems with a place."""
    start = time.monotonic()
    model: Any = None
    try:
        loaded = load(folder, *contents)
        model, told = loaded.model, loaded.notes
    except ConfigError as error:
        told = error.problems

    assert told if model is None else json.dumps(model)
    assert all(each.file and each.line > 0 and each.column > 0 for each in told)
    assert all("\n" not in str(each) for each in told)
    assert time.monotonic() - start < LONGEST_S


@many
@given(content=st.binary(max_size=60))
def test_any_bytes(folder: Path, content: bytes) -> None:
    check_any(folder, content)


@many
@given(text=st.text(alphabet="ab:-,[]{}&*!<>|?#\"'\n $_1", max_size=60))
def test_any_text(folder: Path, text: str) -> None:
    check_any(folder, text.encode())


@many
@given(tree=anything() | almost_projects())
def test_any_tree(folder: Path, tree: Any) -> None:
    check_any(folder, as_yaml(tree))


@few
@given(base=projects(), over=almost_projects())
def test_anything_over_a_project(folder: Path, base: Any, over: Any) -> None:
    check_any(folder, as_yaml(base), as_yaml(over))


@few
@given(base=projects(), over=almost_projects(), tag=st.sampled_from(["!reset", "!override"]))
def test_tags_anywhere(folder: Path, base: Any, over: Any, tag: str) -> None:
    text = as_yaml(over).decode().replace(": ", f": {tag} ")

    check_any(folder, as_yaml(base), text.encode())
