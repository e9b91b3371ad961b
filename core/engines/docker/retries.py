"""When what could not be put right is tried again: later each time, and never given up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Key = TypeVar("Key")

_FIRST_PAUSE_S: Final = 0.5
"""Longer than the engine itself waits before it starts a container again."""

_LONGEST_PAUSE_S: Final = 30.0


class Retries(Generic[Key]):
    """What is not right yet; `due` is called with it when it is to be tried again."""

    def __init__(self, due: Callable[[Key], None]) -> None:
        self._due = due
        self._pauses_s: dict[Key, float] = {}
        """The last one before each."""
        self._timers: dict[Key, asyncio.TimerHandle] = {}

    def note(self, key: Key, *, is_right: bool) -> None:
        """Takes notice of how a try ended."""
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
        if is_right:
            self._pauses_s.pop(key, None)
            return
        pause_s = min(self._pauses_s.get(key, _FIRST_PAUSE_S / 2) * 2, _LONGEST_PAUSE_S)
        self._pauses_s[key] = pause_s
        self._timers[key] = asyncio.get_running_loop().call_later(pause_s, self._due, key)

    def begin_anew(self) -> None:
        """All is tried soon again: what was in the way may be gone."""
        self._pauses_s.clear()
