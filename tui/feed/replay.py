"""A recording as a feed."""

from __future__ import annotations

import asyncio
import math
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

from tui.feed.messages import Ended
from tui.feed.recording import Entry, check, entries

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tui.feed.messages import Take


class ReplayFeed:
    """Plays a recording at its own pace, `speed` times as fast; 0 is without any pause.

    Raises:
        ConfigError: the file is damaged, and where.
        OSError: it cannot be read.
    """

    def __init__(self, path: Path, speed: float = 1.0) -> None:
        self.header = check(path)
        self._entries = entries(path)
        self._next: Entry | None = next(self._entries, None)
        self._speed = speed or math.inf
        self._t = 0.0
        """The moment that has been come to, in seconds from the beginning."""
        self._since: float | None = None
        """When that was, while it plays."""

    def now(self) -> datetime:
        """The moment of the recording; never later than what comes next."""
        t = self._t
        if self._since is not None and self._next is not None and self._speed < math.inf:
            passed = (monotonic() - self._since) * self._speed
            t = min(t + passed, max(t, self._next.t))
        return self.header.at + timedelta(seconds=t)

    def play_until(self, seconds: float, take: Take) -> None:
        """Hands over everything up to a moment, at once."""
        while self._next is not None and self._next.t <= seconds:
            self._play(take)
        self._t = max(self._t, seconds)

    async def run(self, take: Take) -> None:
        """Plays on, to the end."""
        while self._next is not None:
            self._since = monotonic()
            await asyncio.sleep(max(0.0, self._next.t - self._t) / self._speed)
            self._since = None
            self._play(take)
        take(Ended())

    def _play(self, take: Take) -> None:
        assert self._next is not None
        entry, self._next = self._next, next(self._entries, None)
        self._t = max(self._t, entry.t)
        take(entry.message)
