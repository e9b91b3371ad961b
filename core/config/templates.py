"""Texts with fields in braces: `{project} {status}: {message}`. Pure.

Braces around anything else are text, so that JSON needs no escapes.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from core.config.document import did_you_mean, quote
from core.config.fields import broken_rule

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELDS: Final[Mapping[str, str]] = {
    "id": "a number that no other event of this machine has; the same when one is sent again",
    "event": "such as `run.failed`",
    "at": "when it happened, ISO 8601 in UTC",
    "machine": "the name of this machine",
    "project": "the project",
    "environment": "the environment",
    "service": "the service; empty for a whole run",
    "status": "of a run `succeeded`, `failed` or `cancelled`; of health `healthy` or `unhealthy`;"
    " `test`; else empty",
    "trigger": "of a run: `deploy`, `redeploy`, `rollback` or `promote`",
    "label": "of a run: what it was called with `--label`",
    "message": "what happened, in words",
    "summary": "where and what, in one line",
    "run": "the id of the run",
    "deployment": "the id of the deployment",
    "url": "where the service is reached; of a run the service `web`",
}
"""What may stand in a template, as the documentation has it."""

_FIELD: Final = re.compile(r"\{([A-Za-z_]+)\}")
_LOOKS_LIKE_JSON: Final = re.compile(r'\s*(\[\s*)?\{\s*"')
_NUMBERS: Final = frozenset({"id"})
"""What fits into JSON without quotes, too."""


def check(template: str) -> str:
    """Returns a template in which everything is right, for a field of a model."""
    for name in _FIELD.findall(template):
        if name not in FIELDS:
            hint = did_you_mean(name, FIELDS)
            raise broken_rule(f"has the field {quote(name)}, which there is not", hint=hint)
    if is_json(template):
        try:
            json.loads(_FIELD.sub(_example, template), strict=False)
        except ValueError as error:
            hint = "put fields that are text in quotes"
            raise broken_rule(f"looks like JSON, and is none: {error}", hint=hint) from None
    return template


def _example(field: re.Match[str]) -> str:
    # Behind a backslash a letter might be an escape, by chance; a dot never is.
    return "0" if field[1] in _NUMBERS else "."


def is_json(template: str) -> bool:
    """Whether what it makes is JSON, so that values are escaped."""
    return _LOOKS_LIKE_JSON.match(template) is not None


def render(template: str, values: Mapping[str, Any]) -> str:
    """The template with its fields filled in; what has no value is empty."""
    escaped = is_json(template)

    def fill(field: re.Match[str]) -> str:
        value = values[field[1]]
        text = "" if value is None else str(value)
        return json.dumps(text)[1:-1] if escaped else text

    return _FIELD.sub(fill, template)
