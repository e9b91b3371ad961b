"""Which files a Compose project is made of, and the variables that they are read with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.config.compose.environment import with_default_env_file, with_env_files
from core.config.compose.paths import absolute
from core.config.compose.report import Report
from core.errors import ConfigError
from core.model import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from core.config.compose.options import ComposeOptions

USUAL_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
"""In the order in which they are looked for."""
OVERRIDE_NAMES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a project."""

    folder: Path
    """Of the first one: what relative paths are relative to."""
    paths: tuple[Path, ...]
    environ: dict[str, str]
    """The caller's environment, and what `.env` files add to it."""


def find_files(root: Path, options: ComposeOptions, report: Report) -> Files:
    """Return the files of the project in a folder, or those that are named.

    Raises:
        ConfigError: There are none, or what names them makes no sense.
    """
    environ = dict(options.environ)
    env_files = _env_files(root, options)
    named: Sequence[str] = options.files
    if env_files:
        environ = with_env_files(environ, env_files, report)
    elif not named:
        # The file in this folder may say which files there are.
        environ = with_default_env_file(environ, root, report)
    if not named and environ.get("COMPOSE_FILE"):
        separator = environ.get("COMPOSE_PATH_SEPARATOR") or ":"
        named = [name for name in environ["COMPOSE_FILE"].split(separator) if name]
    paths = [_named(name, root) for name in named] if named else _usual(root, report)
    folder = paths[0].parent
    if not env_files and (options.files or folder != root):
        environ = with_default_env_file(environ, folder, report)
    return Files(folder, tuple(paths), environ)


def are_named(folder: Path, options: ComposeOptions) -> bool:
    """Whether a variable, or the `.env` of a folder, says which files the project has."""
    environ = with_default_env_file(options.environ, folder, Report(folder))
    return bool(environ.get("COMPOSE_FILE"))


def active_profiles(options: ComposeOptions, environ: dict[str, str]) -> frozenset[str]:
    """Return the profiles that are on, without those of services that are named."""
    variable = environ.get("COMPOSE_PROFILES", "").split(",")
    return frozenset(name for name in (*options.profiles, *map(str.strip, variable)) if name)


def _env_files(root: Path, options: ComposeOptions) -> list[Path]:
    names = options.env_files or options.environ.get("COMPOSE_ENV_FILES", "").split(",")
    return [absolute(name.strip(), root) for name in names if name.strip()]


def _named(name: str, root: Path) -> Path:
    if name == "-":
        raise ConfigError(
            "a Compose file cannot be read from the standard input",
            hint="save it as a file: a rollback and the next deploy read it again",
        )
    return absolute(name, root)


def _usual(root: Path, report: Report) -> list[Path]:
    found = [root / name for name in USUAL_NAMES if (root / name).exists()]
    if not found:
        raise ConfigError(
            f"no Compose file in {root}",
            hint=f"name it with -f, or call it {USUAL_NAMES[0]}",
        )
    overrides = [root / name for name in OVERRIDE_NAMES if (root / name).exists()]
    for names in (found, overrides):
        report.add_notes(
            Problem(spare.name, 1, 1, f"this file is not used: {names[0].name} comes before it")
            for spare in names[1:]
        )
    return [found[0], *overrides[:1]]
