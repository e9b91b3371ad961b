"""What is counted, by labels."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from core.metrics.exposition import Buckets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.metrics.exposition import Labels

    Reading = Mapping[str, Mapping[Labels, float]]
    """Counters as they are at one moment, by the name of what counts."""


def counts_as_json(counts: Mapping[Labels, float]) -> list[list[Any]]:
    """Counters as they are kept."""
    return [[*labels, count] for labels, count in counts.items()]


def kept_counts(kept: Sequence[Sequence[Any]]) -> dict[Labels, Any]:
    """Counters that were kept."""
    return {tuple(labels): count for *labels, count in kept}


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

    def as_json(self) -> list[list[Any]]:
        """All of them as they are kept."""
        bounds = list(self._bounds)
        return [
            [list(labels), bounds, counts, self._totals[labels]]
            for labels, counts in self._counts.items()
        ]

    def restore(self, kept: Sequence[Sequence[Any]]) -> None:
        """Takes up what was kept; with other bounds by another version, it begins anew."""
        for labels, bounds, counts, total in kept:
            if tuple(bounds) == self._bounds:
                self._counts[tuple(labels)] = list(counts)
                self._totals[tuple(labels)] = total

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
