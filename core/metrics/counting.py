"""What is counted, by labels."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING

from core.metrics.exposition import Buckets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.metrics.exposition import Labels

    Reading = Mapping[str, Mapping[Labels, float]]
    """Counters as they are at one moment, by the name of what counts."""


class Durations:
    """Histograms of seconds, one for each combination of labels."""

    def __init__(self, *bounds: float) -> None:
        self._bounds = bounds
        self._counts: dict[Labels, list[int]] = {}
        self._totals: dict[Labels, float] = {}

    def add(self, labels: Labels, seconds: float) -> None:
        """Counts one."""
        counts = self._counts.setdefault(labels, [0] * (len(self._bounds) + 1))
        counts[bisect_left(self._bounds, seconds)] += 1
        self._totals[labels] = self._totals.get(labels, 0.0) + seconds

    def samples(self) -> dict[Labels, Buckets]:
        """All of them as they are now."""
        names = [*map(str, self._bounds), "+Inf"]
        return {
            labels: Buckets(
                tuple(zip(names, accumulate(counts), strict=True)), round(self._totals[labels], 6)
            )
            for labels, counts in self._counts.items()
        }


class Rising:
    """Sums of counters that come and go, and may begin anew: they never fall.

    A counter is of one activation, in a gateway that may be started again; a sum is of a service.
    """

    def __init__(self) -> None:
        self.sums: dict[Labels, float] = {}
        self._seen: Reading = {}

    def begin(self, reading: Reading) -> None:
        """From now on what is counted already is not counted."""
        self._seen = reading

    def add(self, reading: Reading) -> None:
        """Adds what has come since the reading before."""
        for name, counters in reading.items():
            before = self._seen.get(name, {})
            for labels, value in counters.items():
                known = before.get(labels, 0)
                more = value - known if value >= known else value
                self.sums[labels] = self.sums.get(labels, 0) + more
        self._seen = reading
