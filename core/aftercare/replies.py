"""What watched deployments have answered since their switch, or since they are believed again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.gateway.table import Traffic

Count = tuple[int, int]
"""Replies, and how many of them were 5xx."""


class Replies:
    """Counts per deployment; an activation that is new in the gateway begins with none."""

    def __init__(self) -> None:
        self._discounted: dict[str, Count] = {}
        self._last: dict[str, Count] = {}

    def begin_anew(self) -> None:
        """What was answered so far counts for nothing: what answered may have been away."""
        self._discounted = dict(self._last)

    def of(self, deployment_id: str, traffic: Traffic | None) -> Count:
        """The replies of a deployment, none where the gateway does not say."""
        if traffic is None:
            return 0, 0
        now = (traffic.requests_total, traffic.errors_total)
        self._last[deployment_id] = now
        before = self._discounted.get(deployment_id, (0, 0))
        # A gateway that was started again counts from zero.
        return now if now[0] < before[0] else (now[0] - before[0], now[1] - before[1])

    def keep_only(self, deployment_ids: set[str]) -> None:
        """Forgets what is not watched any more."""
        for counts in (self._discounted, self._last):
            for gone in counts.keys() - deployment_ids:
                del counts[gone]
