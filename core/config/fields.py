"""What the models of our own two files share: strictness, field types, words for their rules."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

PROJECT_NAME = r"^[a-z][a-z0-9-]{0,62}$"
SERVICE_NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"
VARIABLE_KEY = r"^[A-Za-z_][A-Za-z0-9_]*$"
APT_PACKAGE = r"^[A-Za-z0-9][A-Za-z0-9.+:=~-]*$"
CRON_EXPRESSION = r"^[0-9A-Za-z*/,-]{1,200}( +[0-9A-Za-z*/,-]{1,200}){4}$"
MEMORY = r"^[1-9][0-9]{0,6}[KMG]$"
REQUEST_PATH = r'^/[!"$->@-~]*$'
CHECK_PATH = r'^[!"$-~]+$'

RESERVED_VARIABLES = "COMPARTMENT_"
"""What the names of variables that only we set begin with."""

_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DOMAIN = rf"^{_LABEL}(\.{_LABEL}){{0,3}}$"
"""Host names, which have at most 253 characters (RFC 1035), leave room for one more label."""

PATTERN_WORDS = {
    PROJECT_NAME: "at most 63 of a-z, 0-9 and -, beginning with a letter",
    SERVICE_NAME: "at most 63 of a-z, 0-9, _ and -, beginning with a letter or digit",
    VARIABLE_KEY: "letters, digits and _, not beginning with a digit",
    APT_PACKAGE: "an APT package such as curl or libpq-dev",
    CRON_EXPRESSION: 'five fields such as "0 3 * * *": minute, hour, day, month, weekday 0-7',
    MEMORY: "a whole number with K, M or G, such as 256M",
    DOMAIN: "a domain in lower case, such as apps.example.com",
    REQUEST_PATH: 'a path that begins with "/", in visible ASCII without "?" and "#"',
    CHECK_PATH: 'a path, with or without a query, in visible ASCII without "#"',
}

Text = Annotated[str, Field(min_length=1)]
ServiceName = Annotated[str, Field(pattern=SERVICE_NAME)]
RequestPath = Annotated[str, Field(pattern=REQUEST_PATH)]
CheckPath = Annotated[str, Field(min_length=1, pattern=CHECK_PATH)]


class StrictModel(BaseModel):
    """An object of a project file: no unknown keys, no conversion of types, nothing left empty."""

    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)

    later: ClassVar[frozenset[str]] = frozenset()
    """Keys that only a later generation of the file has."""
    elsewhere: ClassVar[dict[str, str]] = {}
    """Keys that people expect here, and where what they mean lives."""

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_empty(cls, value: Any) -> Any:
        if value is None:
            raise broken_rule("is empty", hint="give it a value, or remove it")
        return value


def broken_rule(predicate: str, *, hint: str | None = None) -> PydanticCustomError:
    """Return the error for a field whose value breaks a rule, worded to follow the field's name."""
    context: dict[str, Any] = {"predicate": predicate, "hint": hint}
    return PydanticCustomError("broken_rule", "broken rule", context)


def refuse_later(*values: str) -> BeforeValidator:
    """Return a validator that refuses values which only a later generation of the file has."""

    def refuse(value: Any) -> Any:
        if isinstance(value, str) and value in values:
            reason = "that belongs to a later generation of this file and is not supported"
            raise broken_rule(f"cannot be {value}: {reason}")
        return value

    return BeforeValidator(refuse)
