"""Somebody who is told: one at a time, in the order in which it happened, until it has arrived.

The journal is the queue, and each recipient has a position of its own in it. So a webhook that
hangs holds up nobody else, nothing has to fit into memory, and nothing is lost over an agent that
dies: at most it is told twice, under the same id.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from core.events import Event, EventType
from core.lines import stamp
from core.notifications import command
from core.notifications.failure import NotTold
from core.notifications.message import body, facts_of
from core.notifications.occasions import occasion_of
from core.notifications.webhook import Webhook

if TYPE_CHECKING:
    import httpx

    from core.config.notifications import Notification
    from core.notifications.message import Facts
    from core.promotion.ledger import Ledger
    from core.snapshots import Snapshots

_log = logging.getLogger(__name__)

TOO_OLD: Final = timedelta(hours=1)
"""What happened before that is no news any more."""

_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0
_LONGEST_WAIT_S: Final = 600.0
"""What a recipient may ask for with `Retry-After`."""

_KEPT_EVERY: Final = 500
"""So many events that are nobody's concern may be read again by the next agent."""


class Recipient:
    """One entry of the settings. `follow` must run."""

    def __init__(
        self, wanted: Notification, ledger: Ledger, snapshots: Snapshots, client: httpx.AsyncClient
    ) -> None:
        self._wanted = wanted
        self._ledger = ledger
        self._snapshots = snapshots
        self._webhook = Webhook(client, wanted.url, wanted.headers) if wanted.url else None
        self._position = 0
        self._kept = 0
        self.first_pause_s = _FIRST_PAUSE_S
        self.told = 0
        """How often since this agent began."""
        self.failure: str | None = None
        """Why it was not told the last time; None when it was."""
        self.failing_since: str | None = None
        self.retrying: str | None = None
        """Why the last try has failed, while more of them follow."""

    @property
    def shown(self) -> str:
        """It in words, without what is secret of an address."""
        return self._webhook.shown if self._webhook else (self._wanted.command or [""])[0]

    @property
    def _setting(self) -> str:
        """Where its position is kept: the same while it is the same recipient."""
        wanted = self._wanted
        of_what = (wanted.on, wanted.projects, wanted.environments)
        what = json.dumps([wanted.command, wanted.url, *of_what])
        return f"notified.{hashlib.sha256(what.encode()).hexdigest()[:16]}"

    async def begin(self) -> None:
        """Finds its position; who is new is told of what happens from now on.

        Raises:
            JournalError: the journal cannot be used.
        """
        journal = self._ledger.journal
        kept = await journal.setting(self._setting)
        if kept is None:
            await self._keep(journal.last_seq)
        else:
            # A journal that was begun anew counts from 1.
            self._position = self._kept = min(int(kept), journal.last_seq)

    async def follow(self) -> None:
        """Tells of each event that is wanted, until cancelled."""
        while True:
            changed = self._ledger.next_change()
            events = await self._ledger.journal.events_after(self._position)
            await self._tell_all(events)
            if not events:
                await changed.wait()

    async def _tell_all(self, events: list[Event]) -> None:
        dropped = 0
        for event in events:
            occasion = self._occasion(event)
            if occasion is not None and _is_too_old(event):
                dropped += 1
            elif occasion is not None:
                facts = await facts_of(event, occasion, self._ledger, self._snapshots)
                await self._tell(facts)
                await self._keep(event.seq)
            self._position = event.seq
        if dropped:
            _log.warning("%s is not told of %s events, which are too old", self.shown, dropped)
        if self._position - self._kept >= _KEPT_EVERY:
            await self._keep(self._position)

    def _occasion(self, event: Event) -> str | None:
        projects, environments = self._wanted.projects, self._wanted.environments
        if projects and event.project not in projects:
            return None
        if environments and event.environment not in environments:
            return None
        return occasion_of(event, self._wanted.on)

    async def _keep(self, seq: int) -> None:
        await self._ledger.journal.keep_setting(self._setting, str(seq))
        self._position = self._kept = seq

    async def _tell(self, facts: Facts) -> None:
        """Tries until it is told, may not be told, or was tried often enough."""
        pause_s = self.first_pause_s
        for tries_left in range(self._wanted.retries, -1, -1):
            try:
                await self.try_to_tell(facts)
            except NotTold as error:
                if error.is_final or not tries_left:
                    await self._give_up(facts, error.reason)
                    return
                self.retrying = error.reason
                _log.warning("%s: %s; it is tried again", self.shown, error.reason)
                wait_s = min(error.wait_s or 0.0, _LONGEST_WAIT_S)
                # With jitter: others may wait for the same receiver.
                await asyncio.sleep(max(wait_s, pause_s * random.uniform(0.8, 1.2)))  # noqa: S311
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                await self._has_told()
                return

    async def try_to_tell(self, facts: Facts) -> None:
        """Tells once.

        Raises:
            NotTold: it has not arrived, as far as we know.
        """
        wanted, sent = self._wanted, body(self._wanted.template, facts)
        if self._webhook is not None:
            await self._webhook.post(sent, facts["id"], wanted.timeout_seconds)
        else:
            await command.run(wanted.command or (), facts, sent, wanted.timeout_seconds)

    async def _give_up(self, facts: Facts, reason: str) -> None:
        _log.error("%s is not told of %s %s: %s", self.shown, facts["event"], facts["id"], reason)
        self.failure, self.retrying = reason, None
        if self.failing_since is None:
            self.failing_since = stamp()
            await self._warn(facts, f"{self.shown} is not told of {facts['event']}: {reason}")

    async def _has_told(self) -> None:
        self.told += 1
        self.failure = self.failing_since = self.retrying = None

    async def _warn(self, facts: Facts, message: str) -> None:
        """Where people look; of what fails again and again once."""
        await self._ledger.write(
            Event(
                EventType.WARNING_GIVEN,
                stamp(),
                f"warning: {message}",
                project=facts["project"],
                environment=facts["environment"],
            )
        )

    def as_json(self) -> dict[str, Any]:
        """It and how it is, for people."""
        return {
            "recipient": self.shown,
            "on": self._wanted.on,
            "projects": self._wanted.projects,
            "environments": self._wanted.environments,
            "told": self.told,
            "failure": self.failure,
            "failingSince": self.failing_since,
            "retrying": self.retrying,
        }


def _is_too_old(event: Event) -> bool:
    return datetime.now(UTC) - datetime.fromisoformat(event.at) > TOO_OLD
