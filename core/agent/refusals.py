"""How the agent refuses: whatever is no success has one shape, which its description shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from core.agent.protocol import error_to_json
from core.errors import (
    AgentUnavailable,
    CompartmentError,
    ConfigError,
    Conflict,
    InternalError,
    NotFound,
    Unreachable,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI, Request

    from core.secrets import Mask

_STATUS = (
    (NotFound, 404),
    (Conflict, 409),
    (UsageError, 400),
    (ConfigError, 400),
    (Unreachable, 502),
)
_UNKNOWN = (404, 405)
"""What is told of a path or a method that there is not."""


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties]}


_TEXT: dict[str, Any] = {"type": "string"}
_TEXT_OR_NULL: dict[str, Any] = {"type": ["string", "null"]}
_PROBLEM = {
    "file": _TEXT,
    "line": {"type": "integer"},
    "column": {"type": "integer"},
    "message": _TEXT,
    "hint": _TEXT_OR_NULL,
    "service": _TEXT_OR_NULL,
}
_ERROR = {
    "kind": _TEXT,
    "code": _TEXT,
    "message": _TEXT,
    "hint": _TEXT_OR_NULL,
    "problems": {"type": "array", "items": _object(_PROBLEM)},
}
# Not as a model: that would be described with the type of each operation's success.
_CONTENT = {"application/json": {"schema": _object({"error": _object(_ERROR)})}}
REFUSALS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "It cannot be done as it is asked for.", "content": _CONTENT},
    "5XX": {"description": "What it needs cannot be reached, or failed.", "content": _CONTENT},
}


class Json(JSONResponse):
    """JSON in ASCII: paths may hold what no UTF-8 can say, and have to arrive as they are."""

    def render(self, content: Any) -> bytes:
        """The body."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode()


def add_refusals(app: FastAPI, mask: Mask) -> None:
    """Has every error end as a refusal, without the secrets of this home."""

    def refusal(error: CompartmentError, status: int) -> JSONResponse:
        told = error_to_json(error)
        # An error may quote anybody.
        words = {name: told[name] for name in ("message", "hint") if told[name] is not None}
        masked = {name: mask.mask(text) for name, text in words.items()}
        return Json({"error": {**told, **masked}}, status)

    handlers: dict[type[Exception], Callable[[Request, Any], JSONResponse]] = {
        CompartmentError: lambda _, error: refusal(error, _status_of(error)),
        RequestValidationError: lambda _, error: refusal(_wrong_shape(error), 400),
        HTTPException: lambda asked, error: refusal(_not_served(asked, error), error.status_code),
        # Starlette raises it again after the reply, so that the agent's log has the traceback.
        Exception: lambda _, error: refusal(_bug(error), 500),
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def _status_of(error: CompartmentError) -> int:
    return next((code for kind, code in _STATUS if isinstance(error, kind)), 500)


def _wrong_shape(error: RequestValidationError) -> UsageError:
    wrong = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    return UsageError("; ".join(wrong))


def _not_served(asked: Request, error: HTTPException) -> CompartmentError:
    if error.status_code not in _UNKNOWN:
        return UsageError(str(error.detail))
    return AgentUnavailable(
        f"the agent knows no {asked.method} {asked.url.path}",
        hint="is it of the same version? compartment agent stop, then try again",
        code="agent_version",
    )


def _bug(error: Exception) -> InternalError:
    return InternalError(
        f"a bug in the agent: {error!r}", hint="see the agent's log, and report it"
    )
