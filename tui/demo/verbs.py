"""The verbs of the demo: there is always a next version to deploy."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from core.model import Trigger
from tui.demo.example import bump
from tui.live_verbs import LiveVerbs

if TYPE_CHECKING:
    from collections.abc import Sequence

Json = dict[str, Any]


class DemoVerbs(LiveVerbs):
    """Before a deploy that would change nothing, it writes a next version; the plan says so."""

    __slots__ = ()

    async def plan(
        self, trigger: Trigger, services: Sequence[str] = (), to: str | None = None
    ) -> Json:
        """What a run would do."""
        found = await super().plan(trigger, services, to)
        is_idle = all(each["action"] == "leave" for each in found["services"])
        if trigger is not Trigger.DEPLOY or not is_idle or self.project is None:
            return found
        version = await asyncio.to_thread(bump, self.project.root)
        found = await super().plan(trigger, services, to)
        told = f"the demo has written version {version}, so that there is something to deploy"
        return {**found, "warnings": [*found["warnings"], told]}
