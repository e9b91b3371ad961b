"""What the tests of Compose keys share: text in, canonical values and words out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.config.compose.dialect import read_compose_yaml
from core.config.compose.keys.canonical import canonical
from core.config.compose.keys.completion import complete

if TYPE_CHECKING:
    from core.config.compose.keys.canonical import Canonical
    from core.config.compose.keys.completion import Completed
    from core.config.document import Document, KeyPath
    from core.model import Problem

FOLDER = Path("/project")
FILE = "c.yaml"


def read(text: str) -> Canonical:
    """Return a file in canonical form; it is YAML without any problem."""
    document = read_compose_yaml(text.encode(), FILE)
    assert not document.problems, document.problems
    return canonical(document, FOLDER)


def read_key(line: str) -> Canonical:
    """Return a file with one service `a` that has one key, given as `key: value` in flow style."""
    return read("services:\n  a:\n    " + line + "\n")


def value_of(line: str) -> Any:
    """Return the canonical value of a key of a service that is right."""
    found = read_key(line)
    assert found.problems == ()
    assert found.notes == ()
    return found.data["services"]["a"][line.partition(":")[0]]


def told(problems: tuple[Problem, ...]) -> list[str]:
    """Return problems as `line:column: message (hint)`, in the order of the file."""
    ordered = sorted(problems, key=lambda problem: (problem.line, problem.column))
    return [str(problem).partition(":")[2] for problem in ordered]


class OneFile:
    """The places of a model that one file describes."""

    def __init__(self, document: Document, found: Canonical) -> None:
        self._document = document
        self._found = found

    def problem(self, path: KeyPath, message: str, hint: str | None = None) -> Problem:
        """Return a problem with the value at a path."""
        places = self._found.values
        while path and path not in places:
            path = path[:-1]
        return self._document.problem(path, message, hint=hint)


def completed(text: str, variables: dict[str, str] | None = None) -> Completed:
    """Return the whole model of a file that is right by itself."""
    document = read_compose_yaml(text.encode(), FILE)
    found = canonical(document, FOLDER)
    assert found.problems == ()
    return complete(found.data, OneFile(document, found), FOLDER, (variables or {}).get)
