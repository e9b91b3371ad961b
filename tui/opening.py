"""What every kind of dashboard is opened with."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from textual.theme import BUILTIN_THEMES

from core.config.document import did_you_mean
from core.errors import UsageError
from tui.keymap import load_keymap
from tui.options import Options
from tui.terminal import is_plain
from tui.themes import THEMES

if TYPE_CHECKING:
    from argparse import Namespace

    from tui.choices import Choices


def options_of(arguments: Namespace, choices: Choices, kind: str | None = None) -> Options:
    """The options of the command line, with what terminal and files add to them.

    Args:
        arguments: The command line.
        choices: What was chosen before.
        kind: What this is besides the usual, such as `replay`, for the status line.

    Raises:
        UsageError: there is no such theme.
    """
    _check_theme(arguments.theme)
    keymap, warnings = load_keymap()
    if choices.warning:
        warnings = [*warnings, choices.warning]
    theme = arguments.theme
    if theme is None and choices.theme not in _themes():
        theme = THEMES[0].name
        warnings = [*warnings, f"the theme {choices.theme} is not there any more"]
    is_read_only = arguments.read_only or kind == "replay"
    notes = {
        kind: kind is not None,
        "read-only": arguments.read_only,
        "slow link": arguments.slow_link,
    }
    return Options(
        is_ascii=arguments.ascii or is_plain(os.environ, has_utf8_mode=bool(sys.flags.utf8_mode)),
        is_read_only=is_read_only,
        is_replay=kind == "replay",
        is_slow_link=arguments.slow_link,
        theme=theme,
        server=str(arguments.server) if arguments.server else None,
        notes=tuple(note for note, is_on in notes.items() if note and is_on),
        keymap=keymap,
        warnings=tuple(warnings),
    )


def _themes() -> list[str]:
    return [*(theme.name for theme in THEMES), *BUILTIN_THEMES]


def _check_theme(name: str | None) -> None:
    known = _themes()
    if name is not None and name not in known:
        raise UsageError(
            f"there is no theme {name}",
            hint=did_you_mean(name, known) or f"there are: {', '.join(known)}",
        )
