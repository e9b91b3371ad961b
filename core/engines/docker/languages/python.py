"""Python: how the packages of a folder are installed, and with which Python."""

from __future__ import annotations

import re
import shlex
import tomllib
from typing import TYPE_CHECKING, Any

from core.engines.docker.languages.recipe import Recipe
from core.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

_DEFAULT_MINOR = 13
_PIP = "pip install --no-cache-dir --root-user-action=ignore"
_REFERENCE = re.compile(r"^\s*(?:-r|-c|--requirement|--constraint)[ =]?\s*(\S+)", re.MULTILINE)
_LOCAL = re.compile(
    r"^\s*(?:-e\b|--editable|-f\b|--find-links|\.|/|\S+\.whl\b|\S+\.tar\.gz\b|[^#\n]*@\s*file:)",
    re.MULTILINE,
)


def recipe(folder: Path) -> Recipe:
    """How a folder of Python is built.

    Raises:
        ConfigError: its `pyproject.toml` cannot be read.
    """
    project = _project(folder / "pyproject.toml")
    needed, install = _install(folder, project)
    return Recipe(
        base=f"python:3.{_minor(folder, project)}-slim",
        found=needed or _present(folder, "pyproject.toml"),
        needed=needed if install and not _is_anywhere(folder, needed) else (),
        install=install,
        is_for_all=True,
        # Python keeps back what it prints to a pipe, and loses it when it is killed.
        environment={"PYTHONUNBUFFERED": "1"},
        # What was installed; the image that runs is made from the same one.
        brings=("/usr/local",) if install else (),
    )


def is_python(folder: Path) -> bool:
    """Whether something in the folder is made for Python."""
    marks = _present(folder, "requirements.txt", "pyproject.toml", "Pipfile", "setup.py")
    return bool(marks) or any(folder.glob("*.py"))


def _install(folder: Path, project: dict[str, Any]) -> tuple[tuple[str, ...], str | None]:
    """The files that the packages are listed in, and the command that installs them."""
    if len(files := _present(folder, "uv.lock", "pyproject.toml")) == 2:
        listed = "/tmp/requirements.txt"  # noqa: S108  inside the image
        return files, (
            f"{_PIP} uv && uv export --frozen --no-dev --no-emit-project -q -o {listed}"
            f" && uv pip install --system --no-cache -r {listed}"
        )
    if len(files := _present(folder, "poetry.lock", "pyproject.toml")) == 2:
        return files, (
            f"{_PIP} poetry && POETRY_VIRTUALENVS_CREATE=false"
            " poetry install --only main --no-root --no-interaction --no-cache"
        )
    if _present(folder, "Pipfile.lock"):
        files = _present(folder, "Pipfile", "Pipfile.lock")
        return files, f"{_PIP} pipenv && pipenv install --system --deploy"
    if _present(folder, "requirements.txt"):
        return _with_references(folder, "requirements.txt"), f"{_PIP} -r requirements.txt"
    if "build-system" in project:
        return (), f"{_PIP} ."
    if dependencies := project.get("project", {}).get("dependencies"):
        return ("pyproject.toml",), f"{_PIP} {shlex.join(map(str, dependencies))}"
    return (), None


def _with_references(folder: Path, name: str) -> tuple[str, ...]:
    """A file of requirements and those that it refers to."""
    names, pending = [name], [name]
    while pending:
        for reference in _REFERENCE.findall(_text(folder / pending.pop())):
            if reference not in names and (folder / reference).is_file():
                names.append(reference)
                pending.append(reference)
    return tuple(names)


def _is_anywhere(folder: Path, names: tuple[str, ...]) -> bool:
    """Whether an installation may read more than these files, all of them beside each other."""
    lists = [name for name in names if name.endswith((".txt", ".in"))]
    return not names or any("/" in n or _LOCAL.search(_text(folder / n)) for n in lists)


def _minor(folder: Path, project: dict[str, Any]) -> int:
    """The version of Python 3 that the folder asks for."""
    for name in (".python-version", "runtime.txt"):
        if match := re.search(r"\b3\.(\d+)", _text(folder / name)):
            return int(match[1])
    asked = str(project.get("project", {}).get("requires-python", ""))
    if match := re.search(r"==\s*3\.(\d+)", asked):
        return int(match[1])
    if match := re.search(r"<\s*3\.(\d+)", asked):
        return min(_DEFAULT_MINOR, int(match[1]) - 1)
    least = re.search(r">=\s*3\.(\d+)", asked)
    return max(_DEFAULT_MINOR, int(least[1])) if least else _DEFAULT_MINOR


def _project(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"pyproject.toml is not TOML: {error}", hint="mend it, or write a Dockerfile"
        ) from error


def _present(folder: Path, *names: str) -> tuple[str, ...]:
    return tuple(name for name in names if (folder / name).is_file())


def _text(path: Path) -> str:
    return path.read_text("utf-8-sig", errors="replace") if path.is_file() else ""
