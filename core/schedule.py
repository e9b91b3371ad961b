"""Sees to it that the crons of a home are started when they are due.

Since when a cron was looked at needs no record of its own: each time that it was due has left an
execution, be it one that was skipped or missed. What came due later, or after it became active, is
what nobody was there for.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol
from zoneinfo import ZoneInfoNotFoundError

from cronsim import CronSimError

from core.cron import due, next_time
from core.errors import JournalError
from core.model import Schedule
from core.records import Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.background import Background
    from core.promotion.ledger import Ledger
    from core.records import Deployment

_log = logging.getLogger(__name__)

_LONGEST_SLEEP_S: Final = 30.0
"""Timers stand still while the machine sleeps, and know nothing of a clock that is set."""

_SET_BACK: Final = timedelta(hours=3)
"""A clock that goes back less than this is waited for, so that nothing runs twice; as cron(8)."""


class Clock(Protocol):
    """What tells the time, and wakes."""

    def now(self) -> datetime:
        """The time, in UTC."""

    async def sleep_until(self, at: datetime) -> None:
        """Returns at that time or before: whoever sleeps looks at the clock again."""


class SystemClock:
    """That of the machine."""

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.now(UTC)

    async def sleep_until(self, at: datetime) -> None:
        """Returns at that time, or after half a minute."""
        left_s = (at - self.now()).total_seconds()
        await asyncio.sleep(min(max(left_s, 0.001), _LONGEST_SLEEP_S))


_Key = tuple[Target, str, Schedule]
"""A cron: it stays the same through deployments that do not change its schedule."""


@dataclass(slots=True)
class _Watched:
    """How far a cron has been looked at; `next` is the first time that it is due after that."""

    since: datetime
    next: datetime | None


class Scheduler:
    """Watches the schedules of all active crons. `failed` is told when the journal fails."""

    def __init__(
        self,
        ledger: Ledger,
        background: Background,
        *,
        failed: Callable[[JournalError], None],
        clock: Clock | None = None,
    ) -> None:
        self._ledger = ledger
        self._background = background
        self._failed = failed
        self._clock = clock or SystemClock()
        self._crons: dict[_Key, _Watched] = {}
        self._looked_at = self._clock.now()

    async def follow(self) -> None:
        """Starts what is due when it is, until cancelled."""
        try:
            await self._follow()
        except JournalError as error:
            self._failed(error)

    async def _follow(self) -> None:
        while True:
            changed = self._ledger.next_change()
            soonest = await self._look()
            if soonest is None:
                await changed.wait()
            else:
                await self._sleep(changed, soonest)

    async def _sleep(self, changed: asyncio.Event, until: datetime) -> None:
        async with asyncio.TaskGroup() as tasks:
            sleeping = tasks.create_task(self._clock.sleep_until(until))
            waiting = tasks.create_task(changed.wait())
            await asyncio.wait([sleeping, waiting], return_when=asyncio.FIRST_COMPLETED)
            sleeping.cancel()
            waiting.cancel()

    async def _look(self) -> datetime | None:
        """Starts what has come due; returns when the next one is."""
        now = self._clock.now()
        if self._looked_at - now > _SET_BACK:
            self._crons = {key: _watched(key, now) for key in self._crons}
        self._looked_at = now
        active = self._active()
        for key in self._crons.keys() - active.keys():
            del self._crons[key]
        for key, deployment in active.items():
            if key not in self._crons:
                self._crons[key] = _watched(key, await self._since(deployment))
            cron = self._crons[key]
            if cron.next is not None and cron.next <= now:
                self._come_due(key, deployment, now)
        times = [each.next for each in self._crons.values() if each.next is not None]
        return min(times, default=None)

    def _active(self) -> dict[_Key, Deployment]:
        return {
            (each.target, each.service.name, each.service.schedule): each
            for each in self._ledger.deployments.values()
            if each.is_active and each.service.schedule is not None
        }

    async def _since(self, deployment: Deployment) -> datetime:
        """What of a cron that is new to us nobody has seen yet begins here."""
        last = await self._ledger.journal.last_scheduled(deployment.target, deployment.service.name)
        seen = max(deployment.activated_at or "", last.started_at if last else "")
        now = self._clock.now()
        since = datetime.fromisoformat(seen) if seen else now
        return now if since - now > _SET_BACK else since

    def _come_due(self, key: _Key, deployment: Deployment, now: datetime) -> None:
        found = due(key[2], self._crons[key].since, now)
        self._crons[key] = _watched(key, now)
        if found.missed:
            self._background.miss(deployment, found.missed)
        if found.start is not None:
            self._background.start_due(deployment, found.start)


def _watched(key: _Key, since: datetime) -> _Watched:
    """From a time on; never due where it cannot be read, which a project file is checked for."""
    try:
        return _Watched(since, next_time(key[2], since))
    except (CronSimError, ZoneInfoNotFoundError) as error:
        _log.warning("the schedule of %s in %s cannot be read: %s", key[1], key[0], error)
        return _Watched(since, None)
