"""What the models of our own two files share: strictness, field types, words for their rules."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from core.config.patterns import CHECK_PATH, REQUEST_PATH, SERVICE_NAME

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
