"""Our model of a file and docker-compose's agree: see `agreement/`.

What docker-compose printed is read by us as a file of its own, so that only what it means counts,
not how it is written. Where the two differ, the table says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.config.compose.loading import load_compose
from core.config.compose.options import ComposeOptions
from tests.config.compose.agreement import PLACE, Example, examples

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLES = examples()

_EXTENSIONS = "docker-compose leaves x- keys out; the reference implementation keeps them"
_NO_CHECK = "docker-compose writes disable: true as the test NONE, which means the same"
DIFFERENCES = {
    "anchors.x-common": _EXTENSIONS,
    "anchors.x-logging": _EXTENSIONS,
    "extends.services.web.ports": "docker-compose sorts them; here they keep their order",
    "health.services.quiet.healthcheck.disable": _NO_CHECK,
    "health.services.quiet.healthcheck.test": _NO_CHECK,
    "ports.services.web.ports": "docker-compose reads an unquoted 22:22 as 1342, in base 60",
}
"""Paths in models, by example, and why the two are not the same there."""


def ours(example: Example) -> dict[str, Any]:
    files = tuple(str(example.folder / file) for file in example.files)
    return load_compose(example.folder, ComposeOptions(files=files)).model


def theirs(example: Example, folder: Path) -> dict[str, Any]:
    file = folder / "compose.yaml"
    file.write_text(example.kept.read_text().replace(PLACE, str(example.folder)))
    # Its output has no name: the example's folder gives it.
    options = ComposeOptions(environ={"COMPOSE_PROJECT_NAME": example.folder.name})
    return load_compose(folder, options).model


def differences(one: Any, other: Any, path: str) -> Iterator[str]:
    """The innermost paths where two models are not the same."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            yield from differences(one.get(key), other.get(key), f"{path}.{key}")
    elif one != other:
        yield path


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_agreement(example: Example, tmp_path: Path) -> None:
    found = set(differences(ours(example), theirs(example, tmp_path), example.name))
    known = {path for path in DIFFERENCES if path.partition(".")[0] == example.name}
    assert found == known


def test_every_example_has_its_output() -> None:
    kept = {example.kept for example in EXAMPLES}
    assert set(EXAMPLES[0].kept.parent.iterdir()) == kept
    assert len(EXAMPLES) >= 24


def test_a_difference_is_seen() -> None:
    assert list(differences({"a": {"b": 1}}, {"a": {"b": 2}, "c": []}, "x")) == ["x.a.b", "x.c"]
