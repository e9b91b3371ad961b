"""Files of variables in the format `raw`: every value as it stands, quotes and dollars as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.config.document import Document, quote
from core.config.reading import read_file
from core.config.text import UnreadableText, decode
from core.model import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from core.config.compose.report import Report


def raw_values(file: Path, environ: Mapping[str, str], report: Report) -> dict[str, str]:
    """Return the variables of a file; a name without a value is taken from the environment."""

    def parse(content: bytes, shown: str) -> Document:
        try:
            text = decode(content)
        except UnreadableText as error:
            problem = Problem(shown, *error.position, error.message, error.hint)
            return Document(shown, problems=(problem,))
        return _parsed(text, shown, environ)

    document = read_file(file, report.shown(file), parse)
    report.add_problems(document.problems)
    return dict(document.data or {})


def _parsed(text: str, shown: str, environ: Mapping[str, str]) -> Document:
    values: dict[str, str] = {}
    problems = []
    for number, line in enumerate(text.splitlines(), start=1):
        statement = line.lstrip()
        if not statement or statement.startswith("#"):
            continue
        name, equals, value = statement.partition("=")
        if not name or name != name.rstrip() or " " in name:
            message = f"{quote(name)} is no name of a variable"
            problems.append(Problem(shown, number, 1, message, "write NAME=value"))
        elif equals:
            values[name] = value
        elif name in environ:
            values[name] = environ[name]
    return Document(shown, values, problems=tuple(problems))
