"""How far the services of a run are, for those that wait for them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from core.model import Condition

if TYPE_CHECKING:
    from collections.abc import Collection

_IMPLIED = {
    Condition.STARTED: (Condition.STARTED,),
    Condition.HEALTHY: (Condition.STARTED, Condition.HEALTHY),
    Condition.COMPLETED: (Condition.STARTED, Condition.HEALTHY, Condition.COMPLETED),
}


class Milestones:
    """Nothing here fails: who does not get so far cancels the others by its failure."""

    def __init__(self, services: Collection[str]) -> None:
        self._reached = {name: {each: asyncio.Event() for each in Condition} for name in services}
        self._built = {name: asyncio.Event() for name in services}

    def is_built(self, service: str) -> None:
        """Takes note that a service has its artifact."""
        self._built[service].set()

    def reach(self, service: str, condition: Condition) -> None:
        """Takes note of how far a service is; what is less is true then, too."""
        for each in _IMPLIED[condition]:
            self._reached[service][each].set()

    async def wait(self, service: str, condition: Condition) -> None:
        """Returns when a service is so far."""
        await self._reached[service][condition].wait()

    async def all_built(self) -> None:
        """Returns when every service has its artifact."""
        for each in self._built.values():
            await each.wait()
