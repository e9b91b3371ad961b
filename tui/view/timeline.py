"""When the deployments of a run reached which stage, from the run's events, and as bars."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from core.events import EventType
from core.model import Stage
from tui.view.moments import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

Json = dict[str, Any]


class Phase(StrEnum):
    """What a deployment spends its time with, in the order of the lifecycle."""

    QUEUED = "queued"
    BUILD = "build"
    START = "start"
    READINESS = "readiness"
    WAITS = "waits"
    """At the barrier, for the other services of the run."""
    SWITCH = "switch"
    DRAIN = "drain"

    @property
    def letter(self) -> str:
        """What stands for it in a bar."""
        return {Phase.QUEUED: ".", Phase.SWITCH: "|"}.get(self, self.value[0])


_OF_STAGE = {
    Stage.BUILDING: Phase.BUILD,
    Stage.STARTING_CANDIDATE: Phase.START,
    Stage.CHECKING_READINESS: Phase.READINESS,
    Stage.SWITCHING_ROUTE: Phase.SWITCH,
    Stage.DRAINING_PREVIOUS: Phase.DRAIN,
}


@dataclass(frozen=True, slots=True)
class Span:
    """A phase from `start_s` to `end_s` after the run was queued."""

    phase: Phase
    start_s: float
    end_s: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Track:
    """One deployment of a run."""

    service: str
    spans: tuple[Span, ...]
    failure: str | None = None
    is_open: bool = False
    """Whether its last phase goes on."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A run from the moment it was queued."""

    tracks: tuple[Track, ...]
    seconds: float
    """From its beginning to its end, or to the present."""
    switched_s: float | None = None
    """When the routes had been switched; None if they were not."""
    switch_seconds: float | None = None


def timeline(run: Mapping[str, Any], events: Iterable[Json], now: datetime) -> Timeline:
    """The timeline of a run: what it and its events say, up to now if it is going on."""
    known = list(events)
    begin = moment(run["createdAt"]) or now
    end = moment(run.get("completedAt")) or now
    total = max((end - begin).total_seconds(), 0.0)

    def offset(event: Mapping[str, Any]) -> float:
        return max((_at(event) - begin).total_seconds(), 0.0)

    switch = next((each for each in known if each["type"] == EventType.ROUTES_SWITCHED), None)
    is_open = run.get("completedAt") is None
    return Timeline(
        tracks=tuple(
            _track(service, [(offset(each), each) for each in own], total, is_open=is_open)
            for service, own in sorted(_by_service(known).items())
        ),
        seconds=total,
        switched_s=offset(switch) if switch else None,
        switch_seconds=switch.get("seconds") if switch else None,
    )


def _at(event: Mapping[str, Any]) -> datetime:
    at = moment(event["timestamp"])
    assert at is not None, "every event has its time"
    return at


def _by_service(events: Sequence[Json]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for event in events:
        # What a rollback displaces has its own event in the same run: it is not on its way.
        is_displaced = event.get("promotionStage") == Stage.ROLLED_BACK
        if event.get("serviceName") and not is_displaced:
            found.setdefault(event["serviceName"], []).append(event)
    return found


def _track(
    service: str, events: Sequence[tuple[float, Json]], total: float, *, is_open: bool
) -> Track:
    marks: list[tuple[float, Phase | None]] = [(0.0, Phase.QUEUED)]
    failure = None
    for offset, event in events:
        if event["type"] == EventType.STAGE_CHANGED:
            marks.append((offset, _OF_STAGE.get(event["promotionStage"])))
        elif event["type"] == EventType.READINESS_PASSED:
            marks.append((offset, Phase.WAITS))
        elif event["type"] == EventType.DEPLOYMENT_FAILED:
            marks.append((offset, None))
            failure = event.get("failureMessage") or event["message"]
    goes_on = is_open and marks[-1][1] is not None
    if marks[-1][1] is not None:
        marks.append((total, None))
    spans = tuple(
        Span(phase, start, max(end, start))
        for (start, phase), (end, _) in pairwise(marks)
        if phase is not None
    )
    return Track(service, spans, failure, is_open=goes_on)


def bar(track: Track, total: float, width: int) -> str:
    """The phases of a deployment as letters, `width` of them for the whole run.

    A phase that took any time has at least one letter where its neighbours leave room, so that a
    switch of a few milliseconds is seen.
    """
    if total <= 0 or width <= 0:
        return ""
    cells = [" "] * width
    # Short ones are drawn over long ones, and the switch over all, so that it is always seen.
    for span in sorted(track.spans, key=lambda each: (each.phase is Phase.SWITCH, -each.seconds)):
        first = min(int(span.start_s / total * width), width - 1)
        last = max(first + 1, round(span.end_s / total * width))
        cells[first:last] = [span.phase.letter] * (min(last, width) - first)
    if track.failure is not None and track.spans:
        end = min(round(track.spans[-1].end_s / total * width), width - 1)
        cells[end] = "!"
    return "".join(cells).rstrip()
