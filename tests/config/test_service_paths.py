from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.config.service_paths import path_problems
from core.config.yaml import read_yaml
from tests.config.checks import shown

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    (root / "apps" / "web").mkdir(parents=True)
    (root / "with space").mkdir()
    (root / "file").touch()
    (root / "link").symlink_to("apps")
    (root / "apps" / "inner").symlink_to("web")
    (root / "out").symlink_to(tmp_path)
    (root / "loop").symlink_to("loop")
    return root


@pytest.mark.parametrize(
    "path", [".", "./", "apps", "./apps/web", "apps//web/", "apps/../apps/web", "with space"]
)
def test_accepted(root: Path, path: str) -> None:
    document = read_yaml(f'services: {{web: "{path}"}}'.encode(), "f")

    assert list(path_problems(root, document)) == []


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("nothing", 'does not exist: there is no "nothing"'),
        ("apps/wbe/x", 'does not exist: there is no "apps/wbe"'),
        ("nothing/../apps", 'does not exist: there is no "nothing"'),
        ("file", 'is not a folder: "file"'),
        ("file/x", 'is not a folder: "file"'),
        ("link", 'leads through a symlink: "link"'),
        ("link/web", 'leads through a symlink: "link"'),
        ("link/../apps", 'leads through a symlink: "link"'),
        ("apps/inner", 'leads through a symlink: "apps/inner"'),
        ("out", 'leads through a symlink: "out"'),
        ("loop", 'leads through a symlink: "loop"'),
        ("..", "leads out of the repository"),
        ("../repository", "leads out of the repository"),
        ("apps/../../x", "leads out of the repository"),
        ("/", "must be relative"),
        ("/etc", "must be relative"),
        ("C:/x", "must be relative"),
        ("a" * 300, "cannot be read: File name too long"),
    ],
)
def test_refused(root: Path, path: str, reason: str) -> None:
    document = read_yaml(f"services:\n  a: .\n  web:\n    path: {path}\n".encode(), "f")

    problems = list(path_problems(root, document))

    (message,) = shown(problems)
    assert message.startswith("4:11: the path ")
    assert f'" {reason} (a path is relative to the folder of compartment.yml' in message
    assert problems[0].service == "web"


def test_backslash(root: Path) -> None:
    document = read_yaml(b"services: {web: apps\\web}", "f")

    (message,) = shown(list(path_problems(root, document)))

    assert message.startswith('1:17: the path "apps\\web" must be written with "/"')


def test_the_repository_itself_may_be_behind_a_symlink(root: Path) -> None:
    link = root.parent / "elsewhere"
    link.symlink_to(root)

    assert list(path_problems(link, read_yaml(b"services: {web: apps}", "f"))) == []


@pytest.mark.parametrize("text", ["", "services: 5", "services: {a: 5, b: {path: []}, c: ''}"])
def test_wrong_shapes_are_left_alone(root: Path, text: str) -> None:
    assert list(path_problems(root, read_yaml(text.encode(), "f"))) == []
