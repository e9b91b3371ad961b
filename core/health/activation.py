"""The health of one live activation: that of its instances, told when it changes."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from core.errors import JournalError
from core.events import EventType
from core.health.flips import Flips
from core.model import Health
from core.promotion.ledger import deployment_event
from core.records import ActivationState

if TYPE_CHECKING:
    from core.journal import Record
    from core.promotion.ledger import Ledger
    from core.records import Activation

_log = logging.getLogger(__name__)

_FLAPPING: Final = "flapping: until it calms down, changes are told every 10 s at most"


class ActivationHealth:
    """What is wrong with the instances of one activation. `keep_told` must run."""

    def __init__(self, ledger: Ledger, activation: Activation) -> None:
        self._ledger = ledger
        self._name = activation.name
        self._instance_names = activation.instance_names
        self._faults: dict[str, str | None] = {}
        """Of each instance that was looked at; None where nothing is wrong."""
        self._over = set[str]()
        """Those that have ended for good, which is told even if they were unhealthy before."""
        self._told_over = 0
        self._news = asyncio.Event()
        self._flips = Flips()

    def end(self, instance_name: str, fault: str) -> None:
        """Takes note of an instance that has ended for good."""
        self._over.add(instance_name)
        self.note(instance_name, fault)

    def note(self, instance_name: str, fault: str | None) -> None:
        """Takes note of how an instance is."""
        if self._faults.get(instance_name, "") != fault:
            self._faults[instance_name] = fault
            self._news.set()

    async def keep_told(self) -> None:
        """Tells of each change, of the last one where several come at once, until cancelled."""
        while True:
            await self._news.wait()
            await asyncio.sleep(self._flips.pause_s(time.monotonic()))
            self._news.clear()
            # Before all were looked at nobody knows how it is.
            if len(self._faults) == len(self._instance_names):
                await self._tell()

    async def _tell(self) -> None:
        try:
            await self._ledger.update(self._changed)
        except JournalError as error:
            # What is true stays true; the run that needs the journal next tells of it.
            _log.warning("%s: %s", self._name, error.message)

    def _changed(self) -> list[Record]:
        """Nothing, if it is not live any more, or is known to be so."""
        live = self._ledger.activations.get(self._name)
        if live is None or live.state is not ActivationState.LIVE:
            return []
        deployment = self._ledger.deployments[live.deployment_id]
        wrong = [fault for fault in self._faults.values() if fault is not None]
        health = Health.UNHEALTHY if wrong else Health.HEALTHY
        reason = self._reason(wrong) if wrong else None
        changed = deployment.changed(health=health, health_reason=reason)
        was_told = (deployment.health, live.unhealthy, self._told_over)
        self._told_over = len(self._over)
        if was_told == (health, len(wrong), len(self._over)):
            # Another reason is not another health: it is shown, and not told.
            return [] if changed == deployment else [changed]
        told = f"unhealthy: {reason}" if reason else "healthy again"
        if self._flips.add(time.monotonic()):
            told = f"{told}; {_FLAPPING}"
        event = deployment_event(
            EventType.HEALTH_CHANGED,
            deployment,
            told,
            health=health,
            healthReason=reason,
        )
        return [replace(live, unhealthy=len(wrong)), changed, event]

    def _reason(self, wrong: list[str]) -> str:
        if len(self._instance_names) == 1:
            return wrong[0]
        return f"{len(wrong)} of {len(self._instance_names)} instances: {wrong[0]}"
