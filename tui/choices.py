"""What the dashboard remembers from one start to the next, in `dashboard.json` of the home folder.

A choice is saved when it is made. The file is read again for that, so that another dashboard's
choices, and keys of a later version, stay in it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from textual.theme import BUILTIN_THEMES

from core.files import make_folder, write_atomically
from tui.logs.times import TimeMode
from tui.themes import DEFAULT_THEME, THEMES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE_NAME: Final = "dashboard.json"


@dataclass(slots=True)
class Choices:
    """The choices as they are now. Change them with `set`, which saves."""

    theme: str = DEFAULT_THEME
    splits: dict[str, int] = field(default_factory=dict)
    """Rows by which the services are taller than usual, by the size class of the main screen."""
    is_detail_hidden: bool = False
    sort: str = "name"
    time: str = TimeMode.CLOCK.value
    """How log panes show times."""
    is_wrapped: bool = False
    path: Path | None = None
    """Where they are saved; None where nothing is to be remembered."""
    warning: str | None = None
    """What is wrong with the file, for the person to read once."""

    @classmethod
    def load(cls, path: Path, *, is_read_only: bool = False) -> Choices:
        """What was chosen before; defaults for what was not, or cannot be read.

        `is_read_only` reads them and never saves.
        """
        choices = cls(path=None if is_read_only else path)
        try:
            found = _read(path)
        except (OSError, ValueError) as error:
            choices.warning = f"{path}: {_reason(error)}; the defaults are used"
            return choices
        wrong = [name for name, value in found.items() if not _fits(name, value)]
        for name in _CHECKS.keys() & found.keys() - wrong:
            setattr(choices, name, found[name])
        if wrong:
            choices.warning = f"{path}: {', '.join(wrong)} cannot be used; the default is"
        return choices

    def set(self, name: str, value: object) -> str | None:
        """Changes one choice and saves it; returns why it could not be saved, if so."""
        assert _CHECKS[name](value)
        setattr(self, name, value)
        if self.path is None:
            return None
        try:
            make_folder(self.path.parent)
            write_atomically(self.path, _text({**self._kept(), name: value}))
        except OSError as error:
            return f"cannot remember this choice: {self.path}: {_reason(error)}"
        return None

    def _kept(self) -> dict[str, Any]:
        assert self.path is not None
        try:
            return _read(self.path)
        except ValueError:
            # It was told of at the start; from now on the file is whole again.
            return {name: getattr(self, name) for name in _CHECKS}


def _is_theme(value: object) -> bool:
    return isinstance(value, str) and (
        value in BUILTIN_THEMES or value in {theme.name for theme in THEMES}
    )


def _is_sort(value: object) -> bool:
    return value in ("name", "attention")


def _is_time(value: object) -> bool:
    return value in [mode.value for mode in TimeMode]


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _are_rows(value: object) -> bool:
    return isinstance(value, dict) and all(type(rows) is int for rows in value.values())


_CHECKS: Final[dict[str, Callable[[object], bool]]] = {
    "theme": _is_theme,
    "splits": _are_rows,
    "is_detail_hidden": _is_flag,
    "sort": _is_sort,
    "time": _is_time,
    "is_wrapped": _is_flag,
}


def _fits(name: str, value: object) -> bool:
    return name not in _CHECKS or _CHECKS[name](value)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    if not isinstance(found, dict):
        raise ValueError("it holds no JSON object")  # noqa: TRY004 - about a file, not a call
    return found


def _text(choices: dict[str, Any]) -> bytes:
    return json.dumps(choices, indent=2, sort_keys=True).encode() + b"\n"


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno} is not JSON"
    return str(error)
