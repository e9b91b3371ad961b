"""Tells somebody who watches an environment everything at first, then whatever is different."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from core.lines import stamp
from core.overview import Overview

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.events import Event
    from core.promotion.parts import Parts
    from core.records import Target
    from core.snapshots import Snapshots
    from core.statistics import Statistics

Json = dict[str, Any]

_FIRST_EVENTS = 200
_PAUSE_S = 0.05
"""What changes within it is told together. A wait that follows a change has begun by then."""

_WAITING_PAUSE_S = 0.2
"""Waits change without an event: they are looked at again after both pauses."""

_STATISTICS_EVERY_S = 2.0


class Watch:
    """One watcher's view of an environment, which need not exist yet."""

    def __init__(
        self, target: Target, parts: Parts, snapshots: Snapshots, statistics: Statistics
    ) -> None:
        self._target = target
        self._ledger = parts.ledger
        self._statistics = statistics
        self._overview = Overview(target, parts, snapshots)
        self._sent: Json = {}
        self._seq = 0

    async def updates(self) -> AsyncIterator[Json]:
        """What is different, from everything on; never ends."""
        clock = asyncio.get_running_loop().time
        statistics_at = clock()
        while True:
            changed = self._ledger.next_change()
            more: Json = {}
            if clock() >= statistics_at:
                statistics_at = clock() + _STATISTICS_EVERY_S
                more["statistics"] = await self._statistics.sample(self._target)
                await self._overview.look_closer()
            update = await self._update(more)
            if update:
                yield update
            await self._pause(changed, statistics_at - clock())

    async def _pause(self, changed: asyncio.Event, statistics_in_s: float) -> None:
        services = self._sent["services"].values()
        is_waiting = any(each["waiting"] for each in services)
        pause_s = min(statistics_in_s, _WAITING_PAUSE_S) if is_waiting else statistics_in_s
        try:
            async with asyncio.timeout(max(0.0, pause_s)):
                await changed.wait()
        except TimeoutError:
            pass
        await asyncio.sleep(_PAUSE_S)

    async def _update(self, more: Json) -> Json | None:
        is_first = not self._sent
        events = await (self._first_events() if is_first else self._next_events())
        if events or is_first:
            more["events"] = [event.as_json() for event in events]
        present = self._overview.present()
        more |= difference(self._sent, present)
        self._sent = present
        return {"at": stamp(), "seq": self._seq, **more} if more else None

    async def _first_events(self) -> list[Event]:
        self._seq = self._ledger.journal.last_seq
        events = await self._ledger.journal.newest_events(self._target, _FIRST_EVENTS)
        self._seq = max([self._seq, *(event.seq for event in events)])
        await self._overview.open()
        return [*events, *await self._next_events()]

    async def _next_events(self) -> list[Event]:
        """What came since, until nothing more comes: then it is as new as the ledger."""
        found: list[Event] = []
        while events := await self._ledger.journal.events_after(self._seq):
            self._seq = events[-1].seq
            here = [event for event in events if self._is_here(event)]
            await self._overview.learn(here)
            found += here
        return found

    def _is_here(self, event: Event) -> bool:
        """Whether an event is of this environment, or of what all have in common."""
        named = (event.project, event.environment)
        return named in ((self._target.project, self._target.environment), (None, None))


def difference(before: Json, now: Json) -> Json:
    """The keys of `now` that were not so before; of the services only those."""
    if not before:
        return now
    changed = {key: value for key, value in now.items() if value != before[key]}
    if "services" not in changed:
        return changed
    services, gone = changed["services"], before["services"].keys() - now["services"].keys()
    changed["services"] = {
        name: each for name, each in services.items() if before["services"].get(name) != each
    }
    return {**changed, "gone": sorted(gone)} if gone else changed
