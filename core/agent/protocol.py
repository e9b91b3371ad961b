"""What client and agent agree on besides the verbs."""

from __future__ import annotations

import re
from typing import Any

from core import errors
from core.errors import CompartmentError, ConfigError
from core.model import Problem

PROTOCOL = 1
"""Raised when an old client and a new agent, or the reverse, would misunderstand each other."""

_CLASSES: dict[str, type[CompartmentError]] = {
    name: found
    for name, found in vars(errors).items()
    if isinstance(found, type) and issubclass(found, CompartmentError)
}


def error_to_json(error: CompartmentError) -> dict[str, Any]:
    """An error as the wire has it."""
    problems = error.problems if isinstance(error, ConfigError) else ()
    # An engine's own error travels as the nearest one that every front end knows.
    kind = next(each for each in type(error).mro() if each.__name__ in _CLASSES)
    return {
        "kind": kind.__name__,
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "problems": [
            {
                "file": problem.file,
                "line": problem.line,
                "column": problem.column,
                "message": problem.message,
                "hint": problem.hint,
                "service": problem.service,
            }
            for problem in problems
        ],
    }


def error_from_json(error: dict[str, Any]) -> CompartmentError:
    """The error that the other side raised."""
    kind = _CLASSES.get(str(error.get("kind")), CompartmentError)
    message, hint = str(error.get("message")), error.get("hint")
    code = str(error.get("code") or kind.code)
    if kind is ConfigError:
        problems = [Problem(**problem) for problem in error.get("problems", ())]
        return ConfigError(message, hint=hint, code=code, problems=problems)
    return kind(message, hint=hint, code=code)


def is_earlier(version: str, than: str) -> bool:
    """Whether a version came before another one; what is no number in them is not compared."""
    return _numbers(version) < _numbers(than)


def _numbers(version: str) -> list[int]:
    return [int(each) for each in re.findall(r"\d+", version)]
