"""The person's own keys: `keys.toml`, one line for each id of `tui.keys`.

    "app.deploy" = "ctrl+g"
    "log.down" = "j,down,ctrl+n"

What is wrong in it is a warning, and the rest still holds.
"""

from __future__ import annotations

import os
import re
import tomllib
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.binding import Binding
from textual.keys import KEY_TO_UNICODE_NAME, REPLACED_KEYS, Keys, key_to_character

from core.config.document import did_you_mean, nearest
from tui.keys import KEYS, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_FILE = "keys.toml"
_VARIABLE = "COMPARTMENT_KEYS"
_MODIFIERS = frozenset(("ctrl", "shift", "alt", "super", "meta", "hyper"))
_NAMED = frozenset(
    (*(key.value for key in Keys if key.value.isalnum()), *KEY_TO_UNICODE_NAME, *REPLACED_KEYS)
)
_TAKEN = {"ctrl+c": "copies or interrupts", "ctrl+q": "quits whatever happens"}
"""What Textual keeps for itself."""

_KNOWN = {key.id: key for key in KEYS}
_EVERYWHERE = frozenset((Scope.ACTIONS, Scope.GLOBAL))


def keymap_path() -> Path:
    """`$COMPARTMENT_KEYS`, else `keys.toml` in the platform's folder for settings."""
    named = os.environ.get(_VARIABLE)
    if named:
        return Path(named)
    import platformdirs

    return Path(platformdirs.user_config_dir("compartment")) / _FILE


def load_keymap(path: Path | None = None) -> tuple[dict[str, str], list[str]]:
    """The keys by id as `App.set_keymap` takes them, and what is wrong in the file."""
    path = path or keymap_path()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        # Only who names a file expects one.
        is_named = os.environ.get(_VARIABLE) == str(path)
        return {}, [f"{path} does not exist; {_VARIABLE} names it"] if is_named else []
    except OSError as error:
        return {}, [f"{path} cannot be read: {error.strerror or error}"]
    except UnicodeDecodeError:
        return {}, [f"{path} is not UTF-8"]
    reader = _Reader(path, lines)
    for id_, keys in _flat(reader.parsed()):
        reader.take(id_, keys)
    reader.settle()
    return reader.mapping, reader.warnings


def _flat(found: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """The same for `"app.deploy" = ...`, `app.deploy = ...` and `[app]` with `deploy = ...`."""
    for name, value in found.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value


class _Reader:
    """Collects what can be used of a file."""

    def __init__(self, path: Path, lines: list[str]) -> None:
        self._path = path
        self._lines = lines
        self.mapping: dict[str, str] = {}
        self.warnings: list[str] = []

    def parsed(self) -> dict[str, Any]:
        """The file without the lines that are not TOML."""
        while True:
            try:
                return tomllib.loads("\n".join(self._lines))
            except tomllib.TOMLDecodeError as error:
                reason, _, where = str(error).partition(" (at ")
                found = re.match(r"line (\d+)", where)
                number = int(found[1]) if found else len(self._lines)
                if not self._lines[number - 1]:
                    self.warnings.append(f"{self._path}: {reason}; no key of it is used")
                    return {}
                self.warnings.append(f"{self._path}:{number}: {reason}")
                self._lines[number - 1] = ""

    def take(self, id_: str, keys: object) -> None:
        """Takes over one line, if all of it can be used."""
        if id_ not in _KNOWN:
            self._warn(id_, f"there is no key {id_!r}; {did_you_mean(id_, _KNOWN)}")
        elif not isinstance(keys, str) or not keys.strip():
            self._warn(id_, f'{id_} needs a text such as "ctrl+g" or "j,down"')
        else:
            names = [_normal(each.strip()) for each in keys.split(",")]
            others = [name for name in names if name not in _default(id_)]
            wrong = [problem for problem in map(_problem, others) if problem]
            if wrong:
                self._warn(id_, f"{id_}: {wrong[0]}")
            else:
                self.mapping[id_] = ",".join(names)

    def settle(self) -> None:
        """Gives both their defaults where two want one key, until no two do."""
        while clash := self._clash():
            one, other, key = clash
            named = one if one in self.mapping else other
            for id_ in (one, other):
                self.mapping.pop(id_, None)
            self._warn(named, f"{one} and {other} both want {key}; both keep their defaults")

    def _clash(self) -> tuple[str, str, str] | None:
        for one, other in combinations(_KNOWN, 2):
            if not {one, other} & self.mapping.keys() or not _meet(one, other):
                continue
            shared = self._keys(one) & self._keys(other)
            # Where the defaults share a key on purpose, the narrower scope has it.
            shared -= _default(one) & _default(other)
            if shared:
                return one, other, min(shared)
        return None

    def _keys(self, id_: str) -> set[str]:
        return set(self.mapping[id_].split(",")) if id_ in self.mapping else _default(id_)

    def _warn(self, id_: str, text: str) -> None:
        line = self._line_of(id_)
        self.warnings.append(f"{self._path}{f':{line}' if line else ''}: {text}")

    def _line_of(self, id_: str) -> int | None:
        """Where an id is set; the parser of the standard library does not tell."""
        last = re.escape(id_.rpartition(".")[2])
        pattern = re.compile(rf"""\s*["']?({re.escape(id_)}|{last})["']?\s*=""")
        return next(
            (number for number, line in enumerate(self._lines, 1) if pattern.match(line)), None
        )


def _default(id_: str) -> set[str]:
    return {_normal(key) for key in _KNOWN[id_].keys.split(",")}


def _normal(key: str) -> str:
    """`question_mark` for `?`, as Textual names keys when they are pressed."""
    return next(iter(Binding.make_bindings([Binding(key, "")]))).key if key else key


def _meet(one: str, other: str) -> bool:
    """Whether both can be meant by one key press: a pane's own keys, and those of everywhere."""
    scopes = {_KNOWN[one].scope, _KNOWN[other].scope}
    return len(scopes - _EVERYWHERE) <= 1


def _problem(key: str) -> str | None:
    """Why this is no key that can be pressed."""
    *modifiers, base = key.split("+")
    if key in _TAKEN:
        return f"{key} {_TAKEN[key]}, and stays so"
    for part, valid in (*((each, _MODIFIERS) for each in modifiers), (base, _NAMED)):
        if part not in valid and (valid is _MODIFIERS or not _is_printed(part)):
            close = nearest(part, valid)
            return f"there is no key {key!r}{f'; did you mean {close}?' if close else ''}"
    if modifiers and len(base) == 1 and base.isupper():
        return f"write {'+'.join((*modifiers, 'shift', base.lower()))} for {key}"
    if modifiers == ["shift"] and len(base) == 1:
        return f"write {base.upper()} for {key}"
    return None


def _is_printed(key: str) -> bool:
    character = key_to_character(key)
    return character is not None and character.isprintable()
