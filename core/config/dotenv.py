r"""`.env` files: what Docker Compose understands by them.

| written               | means                                                                  |
|-----------------------|------------------------------------------------------------------------|
| `KEY=a b # why`       | `a b`: up to the end of the line, or to a `#` after a space            |
| `KEY: a`              | the same                                                               |
| `export KEY=a`        | the same                                                               |
| `KEY='a $b'`          | literally, over several lines too; `\'` is a quote                     |
| `KEY="a\n$b"`         | with escapes, over several lines too                                   |
| `KEY=`                | empty                                                                  |
| `KEY`                 | as in the environment of whoever reads the file; not set if it is not  |

Without quotes and in double ones variables are replaced (see `interpolation`): from the
environment, else from the lines above. The escapes are `\n \r \t \a \b \f \v \\ \" \$` and `\0`
with three octal digits; a backslash before anything else means itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.config.document import quote
from core.config.dotenv_reader import DotenvReader
from core.config.failure import config_error
from core.config.patterns import PATTERN_WORDS, RESERVED_VARIABLES, VARIABLE_KEY
from core.model import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from core.config.dotenv_reader import Entry


@dataclass(frozen=True, slots=True)
class Dotenv:
    """What a file holds, in its order, and what in it may not be meant so."""

    entries: tuple[Entry, ...]
    warnings: tuple[Problem, ...]

    @property
    def values(self) -> dict[str, str]:
        """The variables that are set: the last one of a name wins.

        Names that begin with a digit are left out, as Compose does.
        """
        return {
            entry.name: entry.value
            for entry in self.entries
            if entry.value is not None and not entry.name[0].isdigit()
        }


def read_dotenv(text: str, file: str, environ: Mapping[str, str]) -> Dotenv:
    """Return what a `.env` file holds.

    Args:
        text: Its content.
        file: Its name in problems and warnings.
        environ: The environment of whoever reads it.

    Raises:
        ConfigError: Something is wrong; its `problems` are all of them.
    """
    found, problems = _read(text, file, environ)
    if problems:
        raise config_error(problems)
    return found


def read_variables(
    text: str, name: str, environ: Mapping[str, str]
) -> tuple[dict[str, str], tuple[Problem, ...]]:
    """Return the variables of a file that is to be imported, and what may not be meant so.

    Stricter than `read_dotenv`: every line has to be a variable that services can have.

    Raises:
        ConfigError: Something is wrong; its `problems` are all of them.
    """
    found, problems = _read(text, name, environ)
    problems += _unfit(found.entries, name)
    if not found.entries and not problems:
        problems.append(Problem(name, 1, 1, "the file holds no variables"))
    if problems:
        raise config_error(problems)
    return found.values, found.warnings


def _unfit(entries: tuple[Entry, ...], file: str) -> Iterator[Problem]:
    """What cannot be imported."""
    first: dict[str, Entry] = {}
    for entry in entries:
        shown = quote(entry.name)
        if entry.name in first:
            message = f"the variable {shown} is given twice"
            hint = f"first at line {first[entry.name].position.line}"
            yield Problem(file, *entry.position, message, hint)
        elif not re.fullmatch(VARIABLE_KEY, entry.name):
            hint = f"use {PATTERN_WORDS[VARIABLE_KEY]}"
            yield Problem(file, *entry.position, f"{shown} cannot be a variable", hint)
        elif entry.name.startswith(RESERVED_VARIABLES):
            message = f"{shown} is a reserved variable name"
            yield Problem(file, *entry.position, message, "services are given those anyway")
        elif entry.value is None:
            message = f"{shown} has no value here, nor in your environment"
            hint = f"write {entry.name}= for an empty one"
            yield Problem(file, *entry.position, message, hint)
        first.setdefault(entry.name, entry)


def _read(text: str, file: str, environ: Mapping[str, str]) -> tuple[Dotenv, list[Problem]]:
    reader = DotenvReader(text, file, environ)
    reader.read()
    return Dotenv(tuple(reader.entries), tuple(reader.warnings)), reader.problems
