"""`[[notifications]]` of the settings: who is told of what, and how."""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from core.config import templates
from core.config.fields import StrictModel, Text, broken_rule

Occasion = Literal[
    "run.finished",
    "run.succeeded",
    "run.failed",
    "rollback.automatic",
    "health.unhealthy",
    "health.healthy",
    "certificate.failed",
    "certificate.expiring",
]
"""What one may be told of."""

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE: Final = re.compile(r"[\t -~]*")


def _web_address(text: str) -> str:
    """Its value is never quoted: the address of a webhook is a secret."""
    _refuse_variables(text)
    try:
        parts = urlsplit(text)
        is_good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or not re.fullmatch(r"[!-~]+", text):
        raise broken_rule("must be an address such as https://hooks.example.com/T0/B0")
    return text


def _header_fields(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise broken_rule("must be names and values of HTTP headers, in ASCII")
        _refuse_variables(value)
    return headers


def _refuse_variables(text: str) -> None:
    if "${" in text:
        hint = "write the value itself, and let nobody else read the file: chmod 600"
        raise broken_rule("cannot name a variable", hint=hint)


class Notification(StrictModel):
    """Somebody who wants to be told: a command, or the address of a webhook."""

    model_config = ConfigDict(frozen=True, alias_generator=None)

    on: list[Occasion] = Field(min_length=1)
    command: list[Text] | None = Field(None, min_length=1)
    """A program with its arguments; no shell reads them."""
    url: Annotated[str, AfterValidator(_web_address)] | None = None
    projects: list[Text] = Field(default_factory=list)
    """Empty: all of them."""
    environments: list[Text] = Field(default_factory=list)
    template: Annotated[Text, AfterValidator(templates.check)] | None = None
    """What is sent; without one a JSON object of all fields."""
    headers: Annotated[dict[str, str], AfterValidator(_header_fields)] = Field(default_factory=dict)
    timeout_seconds: float = Field(10, gt=0, le=300)
    """Of one try."""
    retries: int = Field(5, ge=0, le=20)

    @model_validator(mode="after")
    def _has_one_way(self) -> Notification:
        if (self.command is None) == (self.url is None):
            raise broken_rule("must have either `command` or `url`")
        if self.headers and self.url is None:
            raise broken_rule("has `headers`, which only go with `url`")
        return self
