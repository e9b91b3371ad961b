"""When a cron is due. Pure: whoever asks has the clock.

What the five fields mean is Debian's rule (cron(8), crontab(5)), as `cronsim` reads them. So is
what happens where clocks are changed:

* A schedule whose minute or hour begins with `*` follows real time: it runs whenever the clock
  shows what it wants, also twice when an hour comes twice, and not in an hour that is left out.
* Any other names a time of day. One that is left out that day runs once, right after the gap; one
  that comes twice runs once, the first time.

The clock changes are ours, not `cronsim`'s: it loses times where they are by half an hour.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from cronsim import CronSim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.model import Schedule

_COUNTED: Final = 1000
"""How many times that were missed are counted; more are told as so many."""

_SECOND: Final = timedelta(seconds=1)
_MOMENT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Due:
    """What came due between two looks at the clock."""

    start: datetime | None = None
    """The one that is still in time."""
    missed: tuple[datetime, ...] = ()
    """All others, oldest first; the first thousand."""


def due(schedule: Schedule, since: datetime, now: datetime) -> Due:
    """What came due after `since`, until now. Only the last can be in time: nothing is replayed."""
    in_time = now - timedelta(milliseconds=schedule.deadline_ms) - _MOMENT
    latest = deque(_times(schedule, max(since, in_time), now), maxlen=1)
    start = latest[0] if latest else None
    missed = (each for each in _times(schedule, since, now) if each != start)
    return Due(start, tuple(islice(missed, _COUNTED)))


def _times(schedule: Schedule, since: datetime, until: datetime) -> Iterator[datetime]:
    at = next_time(schedule, since)
    while at is not None and at <= until:
        yield at
        at = next_time(schedule, at)


def next_time(schedule: Schedule, after: datetime) -> datetime | None:
    """The next time that it is due, in UTC; None if there is none within 50 years.

    Raises:
        CronSimError, ZoneInfoNotFoundError: it is not understood (a project file is checked).
    """
    zone = ZoneInfo(schedule.time_zone)
    minute, hour, *_ = schedule.cron.split()
    follows_real_time = minute.startswith("*") or hour.startswith("*")
    find = _next_of_real_time if follows_real_time else _next_time_of_day
    return find(schedule.cron, zone, after.astimezone(UTC))


def _next_time_of_day(cron: str, zone: ZoneInfo, after: datetime) -> datetime | None:
    for shown in CronSim(cron, after.astimezone(zone).replace(tzinfo=None)):
        at = _first_moment(shown, zone)
        if at > after:
            return at
    return None


def _first_moment(shown: datetime, zone: ZoneInfo) -> datetime:
    """When a clock shows a time for the first time, or would have: then the end of the gap."""
    at = shown.replace(tzinfo=zone).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == shown:
        return at
    # In a gap it is read with the offset before it, and with `fold` with the one after it.
    return _change(shown.replace(tzinfo=zone, fold=1).astimezone(UTC), at, zone)


def _next_of_real_time(cron: str, zone: ZoneInfo, after: datetime) -> datetime | None:
    """From one change of the clocks to the next, with the clock of the time between them."""
    at, offset = after, _offset(after, zone)
    while True:
        shown = next(CronSim(cron, (at + offset).replace(tzinfo=None)), None)
        if shown is None:
            return None
        found = shown.replace(tzinfo=UTC) - offset
        if _offset(found, zone) == offset:
            return found
        change = _change(at, found, zone)
        # The very moment of the change may be a time that is wanted.
        at, offset = change - _SECOND, _offset(change, zone)


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first second with another offset than before."""
    low, high = before.replace(microsecond=0), after
    while high - low > _SECOND:
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if _offset(middle, zone) == _offset(before, zone):
            low = middle
        else:
            high = middle
    return high


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset
