"""How a pane shows when a line was written. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache

AGO_WIDTH = 4


class TimeMode(Enum):
    """The time before each line; the key goes through them in this order."""

    CLOCK = "clock"
    NONE = "none"
    AGO = "how long ago"

    @property
    def next(self) -> TimeMode:
        """The one after it."""
        modes = list(TimeMode)
        return modes[(modes.index(self) + 1) % len(modes)]

    @property
    def width(self) -> int:
        """How many cells it takes, without the space behind it."""
        return {TimeMode.CLOCK: 8, TimeMode.NONE: 0, TimeMode.AGO: AGO_WIDTH}[self]

    def label(self, at: str, now: datetime) -> str:
        """What stands before a line, always `width` cells wide."""
        if self is TimeMode.CLOCK:
            return clock(at[:19])
        return ago(at[:19], now) if self is TimeMode.AGO else ""


def moment(at: str) -> datetime | None:
    """When a line was written; None if its stamp is none, as in a damaged recording."""
    try:
        found = datetime.fromisoformat(at)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


@lru_cache(1024)
def clock(second: str) -> str:
    """The local time of a second in UTC, such as `14:02:11`."""
    found = moment(second)
    return found.astimezone().strftime("%H:%M:%S") if found is not None else "--:--:--"


def ago(second: str, now: datetime) -> str:
    """How long ago a second in UTC was: ` 12s`, `  3m`, `  4d`."""
    found = moment(second)
    if found is None:
        return "--".rjust(AGO_WIDTH)
    seconds = max(0, int((now - found).total_seconds()))
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}".rjust(AGO_WIDTH)[:AGO_WIDTH]
    return f"{seconds}s".rjust(AGO_WIDTH)
