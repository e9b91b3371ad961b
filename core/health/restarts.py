"""How often instances ended by themselves and were started again, since this agent began."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.engines.base import Life
    from core.records import Target


class Restarts:
    """Counts them by service: what is counted stays when the instance is replaced."""

    def __init__(self) -> None:
        self.counted: Counter[tuple[Target, str]] = Counter()

    def note(self, owner: tuple[Target, str], before: Life, now: Life) -> None:
        """Takes note of what has become of an instance of a service."""
        self.counted[owner] += max(0, now.restarts - before.restarts)
