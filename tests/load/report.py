"""The figures of a load."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.load.outcome import StreamEnd

if TYPE_CHECKING:
    from tests.load.outcome import Answered, Loss, Stream
    from tests.load.plan import RequestClass


@dataclass(frozen=True, slots=True)
class VersionFigures:
    """How many requests one version answered, and when the first and the last of them started."""

    count: int
    first_start: float
    last_start: float


@dataclass(frozen=True, slots=True)
class Report:
    """What became of everything that was sent; times are of the monotonic clock, in seconds."""

    ids: tuple[str, ...]
    """The ids of the requests sent; streams have none."""
    answered: tuple[Answered, ...]
    lost: tuple[Loss, ...]
    streams: tuple[Stream, ...]
    latest_start_s: float
    """By how much the most delayed request started too late: the load's own trouble."""

    @property
    def sent(self) -> int:
        """How many requests were sent, streams not counted."""
        return len(self.ids)

    @property
    def ended_by_class(self) -> dict[RequestClass, int]:
        """How many requests and streams of each class have come to an end."""
        ended: tuple[Answered | Loss | Stream, ...] = (*self.answered, *self.lost, *self.streams)
        return dict(Counter(x.request_class for x in ended))

    @property
    def cut_off(self) -> tuple[Stream, ...]:
        """The streams that just broke off."""
        return tuple(stream for stream in self.streams if stream.how is StreamEnd.CUT)

    @property
    def streams_cut(self) -> int:
        """How many streams just broke off."""
        return len(self.cut_off)

    @property
    def versions(self) -> dict[str, VersionFigures]:
        """The figures of each version, in the order of their first request."""
        starts: dict[str, list[float]] = {}
        for version, start in sorted(self._starts(), key=lambda x: x[1]):
            starts.setdefault(version, []).append(start)
        return {version: VersionFigures(len(x), x[0], x[-1]) for version, x in starts.items()}

    def started_after(self, moment: float) -> set[str]:
        """Which versions answered requests and streams that started after the moment."""
        return {version for version, start in self._starts() if start > moment}

    def latency_s(self, quantile: float) -> float:
        """Say how long the given part of all requests took at most; 1.0 is the slowest."""
        ordered = sorted(x.latency_s for x in self.answered)
        if not ordered:
            return math.nan
        return ordered[max(0, math.ceil(quantile * len(ordered)) - 1)]

    def _starts(self) -> list[tuple[str, float]]:
        replied: tuple[Answered | Stream, ...] = (*self.answered, *self.streams)
        return [(x.version, x.start.monotonic) for x in replied]

    def __str__(self) -> str:
        p50, p99, slowest = (self.latency_s(x) * 1000 for x in (0.5, 0.99, 1.0))
        ends = Counter(stream.how for stream in self.streams)
        kinds = Counter(str(loss.kind) for loss in self.lost)
        why = f" ({', '.join(f'{n} {kind}' for kind, n in kinds.items())})" if kinds else ""
        return (
            f"{self.sent} sent, {len(self.answered)} answered, {len(self.lost)} lost{why}; "
            f"{len(self.streams)} streams, {ends[StreamEnd.CLOSED]} closed early, "
            f"{ends[StreamEnd.CUT]} cut; {len(self.versions)} versions; "
            f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, max {slowest:.0f} ms, "
            f"started at most {self.latest_start_s * 1000:.0f} ms late"
        )
