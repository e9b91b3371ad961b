"""The past is kept for long, but not for ever: old runs and their logs are forgotten.

It happens after runs, a few at a time, and none of them waits for it.
"""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING, Final

from core.journal import Kept

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from core.promotion.parts import Parts
    from core.records import Target

_STRIDE: Final = 10
"""Nothing is forgotten until there is a tenth more than is kept: one look is worth its work."""

_LOOSE_EVENTS: Final = 10_000
"""How many of the newest events of no run are kept, over all environments."""

_PAUSE_S: Final = 0.05
"""Between two steps; commits of runs that go on have the journal meanwhile."""


class Forgetting:
    """Looks at the environments in which something has happened.

    `before` is told that events are about to be deleted, so that it can take what it wants.
    """

    def __init__(self, parts: Parts, before: Callable[[], Awaitable[None]]) -> None:
        self._journal = parts.ledger.journal
        self._logs = parts.home.logs
        self._kept = Kept(parts.kept_runs, parts.kept_logs, parts.kept_releases)
        self._before = before
        self._targets: set[Target] = set()
        self._wanted = asyncio.Event()

    def look(self, target: Target) -> None:
        """Looks at an environment soon."""
        self._targets.add(target)
        self._wanted.set()

    async def follow(self) -> None:
        """Looks at all environments once, then at those that it is told of; never ends."""
        for target, _ in await self._journal.services_with_history():
            self.look(target)
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            while self._targets:
                await self._forget(self._targets.pop())
                await asyncio.sleep(_PAUSE_S)

    async def _forget(self, target: Target) -> None:
        if await self._journal.runs_of(target) >= self._kept.runs * (1 + 1 / _STRIDE):
            await self._before()
            while await self._journal.forget_runs(target, self._kept):
                await asyncio.sleep(_PAUSE_S)
            await self._journal.forget_loose_events(_LOOSE_EVENTS)
        # Listed before the journal is asked: it knows of each deployment before there is a log.
        found = await asyncio.to_thread(_with_logs, self._logs)
        for each in await self._journal.unkept_logs(target, self._kept, found):
            await asyncio.to_thread(shutil.rmtree, self._logs / each, ignore_errors=True)


def _with_logs(folder: Path) -> list[str]:
    return [each.name for each in folder.glob("dep_*")]
