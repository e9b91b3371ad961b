"""The variables that Compose files are read with: the caller's, and those of `.env` files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from core.config.document import Document
from core.config.dotenv import Dotenv, read_dotenv
from core.config.reading import read_file
from core.config.text import UnreadableText, decode
from core.errors import ConfigError
from core.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from core.config.compose.report import Report

ENV_FILE = ".env"


def with_env_files(
    environ: Mapping[str, str], files: Iterable[Path], report: Report
) -> dict[str, str]:
    """Return the variables of an environment and, where it lacks them, those of files.

    Of several files the last one wins. The null device stands for no file at all.
    """
    found: dict[str, str] = {}
    for file in files:
        if str(file) == os.devnull:
            continue
        found |= dotenv_values(file, {**found, **environ}, report)
    return {**found, **environ}


def with_default_env_file(
    environ: Mapping[str, str], folder: Path, report: Report
) -> dict[str, str]:
    """Return the same with the `.env` of a folder, if there is one."""
    file = folder / ENV_FILE
    return with_env_files(environ, [file] if os.path.isfile(file) else [], report)  # noqa: PTH113 - never raises


def dotenv_values(file: Path, environ: Mapping[str, str], report: Report) -> dict[str, str]:
    """Return the variables of one file that is read with an environment; reports what is wrong."""

    def parse(content: bytes, shown: str) -> Document:
        try:
            found = read_dotenv(decode(content), shown, environ)
        except UnreadableText as error:
            problem = Problem(shown, *error.position, error.message, error.hint)
            return Document(shown, problems=(problem,))
        except ConfigError as error:
            return Document(shown, problems=error.problems)
        return Document(shown, found)

    document = read_file(file, report.shown(file), parse)
    report.add_problems(document.problems)
    if not isinstance(document.data, Dotenv):
        return {}
    report.add_notes(document.data.warnings)
    return document.data.values
