"""Go: one binary, built in one image and run in another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.engines.docker.languages.recipe import Recipe
from core.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

_DEFAULT_MINOR = 24
_MAIN = re.compile(r"^package main\b", re.MULTILINE)


def recipe(folder: Path, *, is_built_by_command: bool) -> Recipe:
    """How a folder with a `go.mod` is built.

    Raises:
        ConfigError: more than one of its programs could be the one, or none.
    """
    needed = tuple(name for name in ("go.mod", "go.sum") if (folder / name).is_file())
    asked = re.search(r"^go 1\.(\d+)", _text(folder / "go.mod"), re.MULTILINE)
    # A newer Go builds what was written for an older one.
    minor = max(_DEFAULT_MINOR, int(asked[1])) if asked else _DEFAULT_MINOR
    program = None if is_built_by_command else _program(folder)
    return Recipe(
        base=f"golang:1.{minor}-bookworm",
        found=needed,
        needed=needed,
        install="go mod download",
        build=f"go build -o /app/bin/service {program}" if program else None,
        command="./bin/service" if program else None,
        runs_on="debian:bookworm-slim",
        # Without these nothing could be asked over TLS.
        brings=("/etc/ssl/certs",),
    )


def _program(folder: Path) -> str:
    """The package that is the program: the folder itself, or the only one in `cmd/`."""
    if _is_program(folder):
        return "."
    found = sorted(path.name for path in (folder / "cmd").glob("*/") if _is_program(path))
    if len(found) == 1:
        return f"./cmd/{found[0]}"
    seen = f": {', '.join(f'cmd/{name}' for name in found)}" if found else ""
    raise ConfigError(
        f"go.mod: {'more than one' if found else 'no'} program could be the one to run{seen}",
        hint="set build.command and run.command, or write a Dockerfile",
    )


def _is_program(folder: Path) -> bool:
    files = (path for path in folder.glob("*.go") if not path.name.endswith("_test.go"))
    return any(_MAIN.search(_text(path)) for path in files)


def _text(path: Path) -> str:
    return path.read_text(errors="replace")
