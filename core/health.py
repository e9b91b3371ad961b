"""Health after activation: what is live is watched, and its end is an event."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from core.errors import EngineUnavailable, JournalError
from core.events import EventType
from core.model import Health
from core.promotion.ledger import deployment_event
from core.records import Activation, ActivationState

if TYPE_CHECKING:
    import asyncio

    from core.engines.base import Exit
    from core.journal import Record
    from core.promotion.parts import Parts


_log = logging.getLogger(__name__)


class HealthWatch:
    """Watches every live activation, from the moment it is one. `tasks` owns the watching."""

    def __init__(self, parts: Parts, tasks: asyncio.TaskGroup) -> None:
        self._parts = parts
        self._tasks = tasks
        self._watched: dict[str, asyncio.Task[None]] = {}

    async def follow(self) -> None:
        """Starts a watch for what has become live, until cancelled."""
        while True:
            live = self._live()
            for name in live.keys() - self._watched.keys():
                self._watched[name] = self._tasks.create_task(self._watch(live[name]))
            for name in self._watched.keys() - live.keys():
                self._watched.pop(name).cancel()
            await self._parts.ledger.wait_change()

    def stop(self) -> None:
        """Ends every watch."""
        for task in self._watched.values():
            task.cancel()

    def _live(self) -> dict[str, Activation]:
        return {
            each.name: each
            for each in self._parts.ledger.activations.values()
            if each.state is ActivationState.LIVE
        }

    async def _watch(self, activation: Activation) -> None:
        """Tells when a live instance has ended for good."""
        try:
            instance = await self._parts.engine.adopt(activation.name)
        except EngineUnavailable as error:
            _log.warning("%s is not watched: %s", activation.name, error.message)
            return
        if instance is None:
            return
        ended = await instance.wait_exit()
        try:
            await self._parts.ledger.update(lambda: self._unhealthy(activation, ended))
        except JournalError as error:
            # What is true stays true; the run that needs the journal next tells of it.
            _log.warning("%s is unhealthy: %s", activation.name, error.message)

    def _unhealthy(self, activation: Activation, ended: Exit) -> list[Record]:
        """Nothing, if it is not live any more."""
        if activation.name not in self._live():
            return []
        deployment = self._parts.ledger.deployments[activation.deployment_id]
        event = deployment_event(
            EventType.HEALTH_CHANGED,
            deployment,
            f"unhealthy: it {ended} and is not restarted",
            health=Health.UNHEALTHY,
        )
        return [deployment.changed(health=Health.UNHEALTHY), event]
