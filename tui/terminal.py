"""The terminal as it was found, whether it can show a dashboard, and how it is given back."""

from __future__ import annotations

import os
import sys
import termios
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_RESET: Final = (
    "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"  # the mouse
    "\x1b[?2026l\x1b[?2004l\x1b[?2048l\x1b[?1004l\x1b[?7h"  # output, paste, resize, focus, wrap
    "\x1b[<u\x1b[?1049l\x1b[?25h\x1b[0m"  # keys, the other screen, the cursor, colours
)
"""Undoes whatever Textual's driver may have switched on."""

_COERCED: Final = ("C.UTF-8", "C.utf8", "UTF-8")
"""What Python itself sets LC_CTYPE to where the locale is C (PEP 538)."""


def check_terminal() -> None:
    """Refuses what no dashboard can be drawn on.

    Raises:
        UsageError: it is no terminal, or one that only prints.
    """
    hint = "commands run without one: compartment-tui --run COMMAND"
    for stream, name in (
        (sys.stdin, "standard input"),
        (sys.stdout, "standard output"),
        (sys.stderr, "standard error"),
    ):
        if stream is None or not stream.isatty():
            raise UsageError(
                f"the dashboard needs a terminal, and {name} is none", hint=hint, code="no_terminal"
            )
    kind = os.environ.get("TERM", "")
    if kind in ("", "dumb"):
        raise UsageError(
            f"a terminal with TERM={kind or '(not set)'} cannot show the dashboard",
            hint="use another one, or commands: compartment-tui --run COMMAND",
            code="no_terminal",
        )


def forget_fixed_size() -> None:
    """Lets the terminal say how large it is.

    Some shells and tools export the size of the moment, which Python trusts more than the terminal:
    the dashboard would never learn of a resize.
    """
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)


def is_plain(environ: Mapping[str, str], *, has_utf8_mode: bool) -> bool:
    """Whether only ASCII can be trusted to be shown: the console, or no UTF-8 locale.

    Python's UTF-8 mode is on by itself where the locale is C, with LC_CTYPE set over it.
    """
    if environ.get("TERM") == "linux":
        return True
    ctype = environ.get("LC_CTYPE", "")
    if has_utf8_mode and ctype in _COERCED:
        ctype = ""
    locale = environ.get("LC_ALL") or ctype or environ.get("LANG", "")
    return "utf8" not in locale.lower().replace("-", "")


class Terminal:
    """The terminal of this process, as it was when this was made."""

    def __init__(self) -> None:
        self._input = sys.__stdin__.fileno() if sys.__stdin__ else 0
        self._attributes = termios.tcgetattr(self._input)

    @property
    def is_gone(self) -> bool:
        """Whether its window was closed, or its connection lost."""
        try:
            termios.tcgetattr(self._input)
        except termios.error:
            return True
        return False

    def restore_if_changed(self) -> None:
        """Gives it back, if whoever changed it did not."""
        with suppress(termios.error):
            # Textual sets the attributes back first, and never fails between that and the rest.
            if termios.tcgetattr(self._input)[:4] != self._attributes[:4]:
                self.restore()

    def restore(self) -> None:
        """Gives it back as it was; never waits, as one that is stuck could make us."""
        with suppress(termios.error):
            termios.tcsetattr(self._input, termios.TCSANOW, self._attributes)
        with suppress(OSError):
            # Opened again: not to wait is a property that everybody who has it open would share.
            own = os.open("/dev/tty", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
            try:
                os.write(own, _RESET.encode())
            finally:
                os.close(own)
