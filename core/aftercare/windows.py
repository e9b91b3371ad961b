"""How long what is watched is watched still: by a clock that is never set."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.model import AutoRollback
    from core.records import Watched


class Windows:
    """When the time of each deployment is over, decided when it is seen first.

    Only an agent that takes over asks what time it is; a clock that was set meanwhile makes a
    window end at once, or begin anew, but never last longer than it was meant to.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._clock = clock
        self._now = now
        self._ends: dict[str, float] = {}
        """By deployment, on the clock that is never set."""

    def is_over(self, deployment_id: str, rule: AutoRollback, watched: Watched) -> bool:
        """Whether a deployment has proved itself."""
        at = self._clock()
        if deployment_id not in self._ends:
            left_s = (datetime.fromisoformat(watched.until) - self._now()).total_seconds()
            self._ends[deployment_id] = at + min(max(left_s, 0.0), rule.window_ms / 1000)
        return at >= self._ends[deployment_id]

    def keep_only(self, deployment_ids: set[str]) -> None:
        """Forgets those that are not watched any more."""
        self._ends = {id_: end for id_, end in self._ends.items() if id_ in deployment_ids}
