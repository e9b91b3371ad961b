"""Single values: text, numbers, booleans and words, as Compose accepts them."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from core.config.compose.keys.places import Wrong
from core.config.document import describe, did_you_mean, quote

if TYPE_CHECKING:
    from core.config.compose.keys.places import At, Read

_BOOLEANS = {"true": True, "false": False}
_OLD_BOOLEANS = {"yes": True, "y": True, "on": True, "no": False, "n": False, "off": False}
_WHOLE = re.compile(r"[-+]?[0-9]{1,18}")
GO_EXPONENT = 1e21
"""From here on Go writes a float with an exponent (strconv, format g)."""


def text(value: Any, _: At) -> str:
    """Text, or a number that is meant as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number_text(value)
    hint = "put it in quotes" if isinstance(value, bool) else None
    raise Wrong(f"must be text, not {describe(value)}", hint)


def name(value: Any, at: At) -> str:
    """Text that is not empty."""
    found = text(value, at)
    if not found:
        raise Wrong("must not be empty", "give it a value, or remove it")
    return found


def variable(value: Any, _: At) -> str | None:
    """The value of a variable or a label: anything but a collection, as the text that Go makes."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    raise Wrong(f"must be text, not {describe(value)}", "put it in quotes")


def number_text(value: int | float) -> str:
    """A number as Go writes it: 1.0 is "1"."""
    if isinstance(value, float) and value.is_integer() and abs(value) < GO_EXPONENT:
        return str(int(value))
    return str(value)


def boolean(value: Any, at: At) -> bool:
    """True or false; the words of YAML 1.1 with a note."""
    if isinstance(value, bool):
        return value
    word = value.lower() if isinstance(value, str) else ""
    if word in _BOOLEANS:
        return _BOOLEANS[word]
    if word not in _OLD_BOOLEANS:
        raise Wrong(f"must be true or false, not {describe(value)}")
    meant = _OLD_BOOLEANS[word]
    written = "true" if meant else "false"
    at.note(f"{at.label}: {quote(value)} is read as {written}", f"write {written}")
    return meant


def whole(least: int | None = None, most: int | None = None) -> Read:
    """Return the reader of a whole number, which may be written as text."""

    def read_whole(value: Any, _: At) -> int:
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise Wrong(f"must be a whole number, not {describe(value)}")
        if least is not None and value < least:
            raise Wrong(f"must be at least {least}, not {value}")
        if most is not None and value > most:
            raise Wrong(f"must be at most {most}, not {value}")
        return value

    return read_whole


def number(value: Any, _: At) -> float:
    """A number that is not negative, which may be written as text."""
    found = value
    if isinstance(value, str):
        try:
            found = float(value)
        except ValueError:
            found = None
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise Wrong(f"must be a number, not {describe(value)}")
    if found < 0:
        raise Wrong(f"must not be negative, but is {describe(value)}")
    return int(found) if float(found).is_integer() else float(found)


def word(*words: str) -> Read:
    """Return the reader of one of some words."""

    def read_word(value: Any, _: At) -> str:
        if value not in words or not isinstance(value, str):
            hint = did_you_mean(value, words) if isinstance(value, str) and value else None
            raise Wrong(f"must be one of {', '.join(words)}, not {describe(value)}", hint)
        return value

    return read_word


def anything(value: Any, _: At) -> Any:
    """Whatever there is, as it is."""
    return value
