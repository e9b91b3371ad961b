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


def error_from_json(error: Any) -> CompartmentError:
    """The error that the other side raised; what it says that is not known here is left out."""
    if not isinstance(error, dict):
        return CompartmentError(f"the agent refused, and said no more than {error!r}")
    kind = _CLASSES.get(str(error.get("kind")), CompartmentError)
    message, hint = str(error.get("message")), _text(error.get("hint"))
    code = str(error.get("code") or kind.code)
    if kind is ConfigError:
        told = error.get("problems")
        listed = told if isinstance(told, list) else []
        problems = [_problem(each) for each in listed if isinstance(each, dict)]
        return ConfigError(message, hint=hint, code=code, problems=problems)
    return kind(message, hint=hint, code=code)


def _problem(told: dict[str, Any]) -> Problem:
    line, column = (each if isinstance(each := told.get(n), int) else 0 for n in ("line", "column"))
    return Problem(
        str(told.get("file")), line, column, str(told.get("message")), _text(told.get("hint")),
        _text(told.get("service")),
    )  # fmt: skip


def _text(told: object) -> str | None:
    return None if told is None else str(told)


def is_earlier(version: str, than: str) -> bool:
    """Whether a version came before another one; what is no number in them is not compared."""
    return _numbers(version) < _numbers(than)


def _numbers(version: str) -> list[int]:
    return [int(each) for each in re.findall(r"\d+", version)]
