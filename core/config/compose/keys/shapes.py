"""Collections: lists, mappings, both in one, and mappings with a table of keys."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from core.config.compose.keys.places import GONE, Told, Wrong, read
from core.config.compose.keys.scalars import name, text, variable
from core.config.document import describe, did_you_mean, quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from core.config.compose.keys.places import At, Read
    from core.config.compose.markers import Reset


class Tier(StrEnum):
    """What becomes of a key."""

    HONOURED = "honoured"
    NOTED = "noted"
    """Read and checked, but it does nothing here: a note says so."""
    REFUSED = "refused"
    """Without it the service would not be what its author means: an error."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a Compose file."""

    read: Read
    words: str
    """What it does here; of one that is not honoured, why, or what to write instead."""
    tier: Tier = Tier.HONOURED
    may_be_empty: bool = False
    """Whether it says something by having no value."""


def noted(reader: Read, words: str) -> Key:
    """A key that is read and does nothing here."""
    return Key(reader, words, Tier.NOTED)


@dataclass(frozen=True, slots=True)
class Keyed:
    """Reads a mapping with a table of keys; keys that begin with `x-` are anybody's."""

    table: Mapping[str, Key]
    required: tuple[str, ...] = ()
    elsewhere: Callable[[str, Any], str | None] | None = None
    """Says where a key that is unknown here belongs, from it and its value."""

    def __call__(self, value: Any, at: At) -> dict[str, Any]:
        """Return the mapping in canonical form."""
        if not isinstance(value, dict):
            raise Wrong(f"must be a mapping of keys to values, not {describe(value)}")
        found: dict[str, Any] = {}
        for key, inner in value.items():
            entry = self.table.get(key)
            if entry is not None:
                result = _read_key(entry, inner, at / key)
                if result is not GONE:
                    found[key] = result
            elif key.startswith("x-"):
                found[key] = inner
            else:
                hint = self.elsewhere(key, inner) if self.elsewhere else None
                hint = hint or did_you_mean(key, self.table)
                (at / key).problem(f"unknown key {quote(key)}", hint, at_key=True)
        missing = [quote(key) for key in self.required if key not in value]
        if missing:
            raise Wrong(f"has no {' and no '.join(missing)}")
        if not found.keys() >= set(self.required):
            raise Told
        return found


def _read_key(key: Key, value: Any, at: At) -> Any:
    if key.tier is Tier.REFUSED:
        at.problem(f"{at.label} is not supported", key.words, at_key=True)
        return GONE
    if value is None and not key.may_be_empty:
        message = f"{at.label} is empty and says nothing"
        at.note(message, "give it a value, or remove it", at_key=True)
        return GONE
    if key.tier is Tier.NOTED:
        at.note(f"{at.label} does nothing here", key.words, at_key=True)
    return read(key.read, value, at)


def listed(item: Read) -> Read:
    """Return the reader of a list."""

    def read_list(value: Any, at: At) -> list[Any]:
        if not isinstance(value, list):
            raise Wrong(f"must be a list, not {describe(value)}", "put it into [ ]")
        found = (read(item, each, at / index) for index, each in enumerate(value))
        return [each for each in found if each is not GONE]

    return read_list


def named(
    item: Read,
    *,
    check: Callable[[str], str | None] | None = None,
    may_be_empty: bool = True,
) -> Read:
    """Return the reader of a mapping with names of the author's own.

    Args:
        item: Reads a value.
        check: Says what is wrong with a name.
        may_be_empty: Whether a name without a value stays as it is.
    """

    def read_named(value: Any, at: At) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Wrong(f"must be a mapping of names to values, not {describe(value)}")
        found: dict[str, Any] = {}
        for key, inner in value.items():
            hint = check(key) if check else None
            if hint:
                (at / key).problem(f"the name {quote(key)} is not valid", hint, at_key=True)
                continue
            is_empty = inner is None and may_be_empty
            result = None if is_empty else read(item, inner, at / key)
            if result is not GONE:
                found[key] = result
        return found

    return read_named


def texts(value: Any, at: At) -> list[str]:
    """A list of text, or one text that stands for a list of one. Empty ones say nothing."""
    found: list[str] = _TEXTS(value, at) if isinstance(value, list) else [text(value, at)]
    return [each for each in found if each != ""]


_TEXTS = listed(text)


def pairs(value: Any, at: At) -> dict[str, str | Reset | None]:
    """A mapping, or a list of `KEY=value` and `KEY`: the mapping. The last one of a key wins."""
    if isinstance(value, dict):
        found: dict[str, Any] = _VARIABLES(value, at)
        return found
    if not isinstance(value, list):
        # It may be a variable with its value, and so a secret.
        shown = "text" if isinstance(value, str) else describe(value)
        raise Wrong(f"must be a mapping or a list of KEY=value, not {shown}", "write - KEY=value")
    found = {}
    for index, each in enumerate(value):
        line = read(text, each, at / index)
        if not isinstance(line, str):
            continue
        key, equals, after = line.partition("=")
        if not key:
            (at / index).problem(f"{(at / index).label} has no name before =", "write KEY=value")
            continue
        found[key] = after if equals else None
        (at / key).stands_for(at / index)
    return found


_VARIABLES = named(variable)


def settings(value: Any, at: At) -> dict[str, str | Reset]:
    """The same where one without a value is empty: labels, options for drivers."""
    return {key: "" if said is None else said for key, said in pairs(value, at).items()}


def keyed_list(default: Callable[[], Any], long: Read, *, may_be_empty: bool = True) -> Read:
    """Return the reader of a mapping by name that may be written as a list of names.

    Args:
        default: What a name in a list stands for.
        long: Reads a value of the mapping.
        may_be_empty: Whether a name in the mapping may have no value.
    """
    read_mapping = named(long, may_be_empty=may_be_empty)

    def read_either(value: Any, at: At) -> dict[str, Any]:
        if not isinstance(value, list):
            found: dict[str, Any] = read_mapping(value, at)
            return found
        found = {}
        for index, each in enumerate(value):
            key = read(name, each, at / index)
            if not isinstance(key, str):
                continue
            if key in found:
                (at / index).problem(f"{quote(key)} is listed twice", "remove one of them")
            found[key] = default()
            (at / key).stands_for(at / index)
        return found

    return read_either


def short_or_long(short: Callable[[str, At], dict[str, Any]], long: Read) -> Read:
    """Return the reader of what is one text or a mapping."""

    def read_either(value: Any, at: At) -> dict[str, Any]:
        if isinstance(value, dict):
            found: dict[str, Any] = long(value, at)
            return found
        if isinstance(value, str | int) and not isinstance(value, bool):
            return short(text(value, at), at)
        raise Wrong(f"must be text or a mapping, not {describe(value)}")

    return read_either


def within(data: Any, *path: str | int) -> Any:
    """Return what is at a path of keys in a canonical mapping; None where there is nothing."""
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data
