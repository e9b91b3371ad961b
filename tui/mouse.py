"""The mouse, lent to the terminal for a while so that its own selection works.

Textual 8.2.8 can switch the mouse on and off only as a whole, in private methods of its drivers,
and a terminal that counts the mouse in pixels would come back out of step. Only whether the mouse
is told of at all is switched here; how it is told of stays as it is.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import App

LENT_S = 15
"""How long the terminal has the mouse: who forgets about it must not miss it for good."""

_OFF = "\x1b[?1003l\x1b[?1000l"
_ON = "\x1b[?1000h\x1b[?1003h"


class Mouse:
    """Who has the mouse: the dashboard, or for a while the terminal."""

    def __init__(self, app: App[Any], clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._clock = clock
        self._until: float | None = None

    @property
    def is_lent(self) -> bool:
        """Whether the terminal has it. What is selected there must stand still meanwhile."""
        return self._until is not None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the status line says."""
        if self._until is None:
            return ()
        return (f"mouse: terminal {max(round(self._until - self._clock()), 1)} s",)

    def turn(self) -> None:
        """Lends it, or takes it back."""
        if self._until is not None:
            self.take_back()
            return
        self._until = self._clock() + LENT_S
        self._app.capture_mouse(None)
        self._write(_OFF)

    def settle(self) -> None:
        """Takes it back once its time is over."""
        if self._until is not None and self._clock() >= self._until:
            self.take_back()

    def take_back(self) -> None:
        """Takes it back, if it is lent."""
        if self._until is not None:
            self._until = None
            self._write(_ON)

    def _write(self, codes: str) -> None:
        driver = self._app._driver  # noqa: SLF001 - there is no other way to the terminal
        if driver is not None:
            driver.write(codes)
            driver.flush()
