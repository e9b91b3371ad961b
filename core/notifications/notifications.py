"""All recipients of the settings."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from core.lines import stamp
from core.notifications.failure import NotTold
from core.notifications.message import sample
from core.notifications.recipient import Recipient

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

    from core.config.notifications import Notification
    from core.promotion.ledger import Ledger
    from core.snapshots import Snapshots

Json = dict[str, Any]


class Notifications:
    """Who is told of what happens. Each recipient's `follow` must run, after `begin`."""

    def __init__(
        self,
        wanted: Sequence[Notification],
        ledger: Ledger,
        snapshots: Snapshots,
        client: httpx.AsyncClient,
    ) -> None:
        self.recipients = [Recipient(each, ledger, snapshots, client) for each in wanted]

    async def begin(self) -> None:
        """Finds how far each was told.

        Raises:
            JournalError: the journal cannot be used.
        """
        for each in self.recipients:
            await each.begin()

    def as_json(self) -> list[Json]:
        """Who is told of what, and how that goes."""
        return [each.as_json() for each in self.recipients]

    async def test(self) -> list[Json]:
        """Tells everybody something that has not happened, once; returns how that went."""
        facts = sample(stamp())

        async def tell(recipient: Recipient) -> Json:
            try:
                await recipient.try_to_tell(facts)
            except NotTold as error:
                return {"recipient": recipient.shown, "failure": error.reason}
            return {"recipient": recipient.shown, "failure": None}

        async with asyncio.TaskGroup() as tasks:
            going_on = [tasks.create_task(tell(each)) for each in self.recipients]
        return [each.result() for each in going_on]
