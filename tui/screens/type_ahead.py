"""Keys that were typed before a dialog was seen must not answer it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Input

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events

QUIET_S = 0.3
"""Longer than a key repeats, shorter than it takes to read a question."""


class TypeAhead:
    """Says whether a dialog has been in sight for long enough."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: float | None = None

    def begin(self) -> None:
        """What is asked is seen from now on."""
        self._since = self._clock()

    @property
    def is_over(self) -> bool:
        """Whether keys are meant for the dialog."""
        return self._since is not None and self._clock() - self._since >= QUIET_S


class GuardedInput(Input):
    """An input that takes no keys before the dialog does: they reach it before the screen."""

    def __init__(self, guard: TypeAhead, *, placeholder: str, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(placeholder=placeholder, id=id, compact=True)
        self._guard = guard

    def on_key(self, event: events.Key) -> None:
        """Drops what was typed ahead."""
        if not self._guard.is_over:
            event.prevent_default()
            event.stop()
