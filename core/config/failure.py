"""The error that reports everything that is wrong with project files.

It stands apart from `problems`, which loads pydantic: that takes longer than reading a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from core.model import Problem


def config_error(problems: Iterable[Problem]) -> ConfigError:
    """Return the error that reports problems, in the order of their files."""
    ordered = sorted(problems, key=lambda problem: (problem.file, problem.line, problem.column))
    files = " and ".join(sorted({problem.file for problem in ordered}))
    count = "1 problem" if len(ordered) == 1 else f"{len(ordered)} problems"
    return ConfigError(f"{count} in {files}", problems=ordered)
