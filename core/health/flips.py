"""How often the health of one service may be told, so that one that flaps floods nobody."""

from __future__ import annotations

from collections import deque
from typing import Final

_MANY: Final = 5
_WITHIN_S: Final = 60.0
_PAUSE_S: Final = 10.0
"""Between two changes of a service that flaps."""


class Flips:
    """The changes that were told lately. Times are those of a monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._told_at = deque[float](maxlen=_MANY)
        self._is_flapping = False

    def pause_s(self, now: float) -> float:
        """How long the next change has to wait."""
        return max(0.0, self._told_at[-1] + _PAUSE_S - now) if self._are_many(now) else 0.0

    def add(self, now: float) -> bool:
        """Takes note of a change that is told; whether it is the one to say that it flaps."""
        was_flapping, self._is_flapping = self._is_flapping, self._are_many(now)
        self._told_at.append(now)
        return self._is_flapping and not was_flapping

    def _are_many(self, now: float) -> bool:
        return len(self._told_at) == _MANY and now - self._told_at[0] < _WITHIN_S
