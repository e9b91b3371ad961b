"""From pydantic's errors to problems with a place in the file and words for people."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin

from pydantic import ValidationError

from core.config.document import describe, did_you_mean, nearest, quote
from core.config.fields import StrictModel
from core.config.patterns import PATTERN_WORDS

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from core.config.document import Document, KeyPath
    from core.model import Problem

Model = TypeVar("Model", bound=StrictModel)

_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping of names to values",
    "model_type": "a mapping of keys to values",
    "finite_number": "a finite number",
}


def validate(
    model: type[Model], document: Document, *, is_text: bool = False
) -> tuple[Model | None, list[Problem]]:
    """Return the document as a model, if it has the right shape, and what is wrong with it so far.

    That includes what was wrong with it as YAML or TOML. With `is_text` its values are all text,
    from which numbers are read.
    """
    problems = list(document.problems)
    if document.data is None:
        return None, problems
    try:
        return model.model_validate(document.data, strict=False if is_text else None), problems
    except ValidationError as error:
        details = error.errors(include_url=False)
        return None, problems + [_problem(model, document, detail) for detail in details]


def _problem(model: type[StrictModel], document: Document, error: ErrorDetails) -> Problem:
    path = error["loc"]
    if error["type"] == "extra_forbidden":
        message, hint = _unknown_key(model_at(model, path[:-1]), str(path[-1]))
        return document.problem(path, message, hint=hint, at_key=True)
    if error["type"] == "missing":
        message = f"{quote(str(path[-1]))} is missing{_inside(path[:-1])}"
        return document.problem(path, message, at_key=True)
    if path[-1:] == ("[key]",):
        message = f"the name {quote(str(path[-2]))} is not valid"
        return document.problem(path[:-1], message, hint=_pattern_words(error), at_key=True)
    predicate, hint = _predicate(error)
    return document.problem(path, f"{_label(path)} {predicate}", hint=hint)


def _unknown_key(model: type[StrictModel], key: str) -> tuple[str, str | None]:
    if key in model.later:
        message = f"{quote(key)} belongs to a later generation of this file and is not supported"
        return message, None
    if key in model.elsewhere:
        return f"{quote(key)} does not belong here", model.elsewhere[key]
    valid = [field.alias or name for name, field in model.model_fields.items()]
    return f"unknown key {quote(key)}", did_you_mean(key, valid)


def model_at(model: type[StrictModel], path: KeyPath) -> type[StrictModel]:
    """Return the model of the object at a path that begins at an object of another model."""
    annotation: Any = model
    for part in path:
        if isinstance(annotation, type) and issubclass(annotation, StrictModel):
            fields = annotation.model_fields
            annotation = next(f.annotation for n, f in fields.items() if part in (f.alias, n))
        else:
            annotation = get_args(annotation)[-1]
        if get_origin(annotation) in (Union, types.UnionType):
            annotation = get_args(annotation)[0]
    found: type[StrictModel] = annotation
    return found


def _predicate(error: ErrorDetails) -> tuple[str, str | None]:
    """Return what to say after the name of a field, and the hint."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "broken_rule":
        return context["predicate"], context["hint"]
    if kind in _EXPECTED:
        return f"must be {_EXPECTED[kind]}, not {describe(value)}", _type_hint(kind, value)
    if kind in ("enum", "literal_error"):
        expected = context["expected"].replace("'", "").replace(" or ", ", ")
        match = nearest(value, expected.split(", ")) if isinstance(value, str) else None
        hint = f"did you mean {quote(match)}?" if match else None
        one_of = "one of " if "," in expected else ""
        return f"must be {one_of}{expected}, not {describe(value)}", hint
    if kind == "string_pattern_mismatch":
        return f"cannot be {describe(value)}", _pattern_words(error)
    if kind in ("string_too_short", "too_short"):
        return "must not be empty", None
    if kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        bound = str(context[key]).removesuffix(".0")
        return f"must be {words} {bound}, not {describe(value)}", None
    return f"is not valid: {error['msg']}", None


_BOUNDS = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def _pattern_words(error: ErrorDetails) -> str:
    return f"use {PATTERN_WORDS[error['ctx']['pattern']]}"


def _type_hint(kind: str, value: object) -> str | None:
    if kind == "string_type" and isinstance(value, bool | int | float):
        return "put it in quotes"
    return None


def _label(path: KeyPath) -> str:
    names = [index for index, part in enumerate(path) if isinstance(part, str)]
    if not names:
        return "the file"
    name, *indexes = path[names[-1] :]
    return quote(str(name) + "".join(f"[{index}]" for index in indexes))


def _inside(path: KeyPath) -> str:
    return f" in {_label(path)}" if path else ""
