"""Lines that are JSON objects, put as level, message and what else they say. Pure."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tui.logs.colours import parse
from tui.logs.record import SHOWN_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tui.logs.record import Record

    Reading = Callable[[Record], Record]
    """How a pane reads a line before it shows it, looks through it, or copies it."""

_LEVELS = ("level", "lvl", "severity", "levelname", "log.level")
_MESSAGES = ("msg", "message", "event")
_TIMES = frozenset(("time", "ts", "timestamp", "@timestamp"))
"""Left out: the pane has the time of its own."""

_NUMBERS = {10: "TRACE", 20: "DEBUG", 30: "INFO", 40: "WARN", 50: "ERROR", 60: "FATAL"}
"""Levels as pino and bunyan write them."""

_KEPT = 4096
_NEEDS_QUOTES = frozenset(' "=\\')
_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def as_it_is(record: Record) -> Record:
    """The line as the program wrote it."""
    return record


def compact(record: Record) -> Record:
    """The line as `LEVEL message key=value`; what is no JSON object stays as it is.

    So do lines that a pane cuts: to read them to their end at every frame would cost too much.
    """
    text = record.text
    if text[:1] != "{" or text[-1:] != "}" or len(text) > SHOWN_LIMIT:
        return record
    found = _compact(text)
    return record if found is None else record._replace(text=found, spans=())


def pretty(text: str) -> str | None:
    """A JSON object on lines of its own, indented; None for anything else."""
    found = _read(text)
    if found is None:
        return None
    try:
        whole = json.dumps(found, indent=2, ensure_ascii=False)
    except RecursionError:
        return None
    return "\n".join(map(_harmless, whole.split("\n")))


@lru_cache(_KEPT)
def _compact(text: str) -> str | None:
    found = _read(text)
    if not found:
        return None
    level = _taken(found, _LEVELS, _level)
    message = _taken(found, _MESSAGES, _message)
    try:
        rest = [f"{_value(key)}={_value(found[key])}" for key in found if key not in _TIMES]
    except RecursionError:
        return None
    parts = (level, message, *rest)
    return _harmless(" ".join(part for part in parts if part)) or None


def _read(text: str) -> dict[str, Any] | None:
    if text[:1] != "{":
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _taken(found: dict[str, Any], keys: tuple[str, ...], read: Callable[[Any], str]) -> str:
    """What the first of the keys that says anything says; it is taken out."""
    for key in keys:
        text = read(found.get(key))
        if text:
            del found[key]
            return text
    return ""


def _level(value: object) -> str:
    if isinstance(value, str):
        return value.upper()
    return _NUMBERS.get(value, "") if type(value) is int else ""


def _message(value: object) -> str:
    return value if isinstance(value, str) else ""


def _value(value: object) -> str:
    """A value in one word where that can be read back as one, else as JSON."""
    if isinstance(value, str) and value and _NEEDS_QUOTES.isdisjoint(value):
        return value
    return _encoded(value)


def _harmless(text: str) -> str:
    """Decoded text can have anything in it: what cannot be printed is written as an escape."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode()
        for each in parse(text)[0]
    )
