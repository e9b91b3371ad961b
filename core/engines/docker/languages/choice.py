"""Which language a folder is built as."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.engines.docker.languages import go, node, python
from core.engines.docker.languages.recipe import Recipe

if TYPE_CHECKING:
    from pathlib import Path

_PLAIN = Recipe(base="debian:bookworm-slim")


def choose(folder: Path, command: str | None, *, is_built_by_command: bool) -> Recipe:
    """What the folder is built as; `command` is how it is run, None where that is not known.

    Its program decides where the folder holds more than one language.

    Raises:
        ConfigError: a file that says how it is built is broken, or says too little.
    """
    is_node = (folder / "package.json").is_file()
    if _runs(command, "node|npm|npx|yarn|pnpm"):
        return node.recipe(folder) if is_node else Recipe(base="node:22-slim")
    if _runs(command, r"python[\d.]*") or python.is_python(folder):
        return python.recipe(folder)
    if is_node:
        return node.recipe(folder)
    if (folder / "go.mod").is_file():
        return go.recipe(folder, is_built_by_command=is_built_by_command)
    return _PLAIN


def _runs(command: str | None, program: str) -> bool:
    """Whether a command starts such a program, after variables and words of the shell."""
    before = r"(?:\w+=(?:'[^']*'|\"[^\"]*\"|\S)*\s+|exec\s+)*"
    return re.match(rf"\s*{before}(?:{program})(?:\s|$)", command or "") is not None
