"""Health after activation: what is live is watched, and so is the gateway in front of it."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from core.errors import CompartmentError, EngineUnavailable, JournalError
from core.events import Event, EventType
from core.lines import stamp
from core.model import Health
from core.promotion.ledger import deployment_event
from core.records import Activation, ActivationState

if TYPE_CHECKING:
    from core.engines.base import Exit
    from core.journal import Record
    from core.promotion.parts import Parts
    from core.promotion.routing import Router


_log = logging.getLogger(__name__)

_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_STABLE_S = 2.0
"""A gateway that lived longer than this is started again at once."""


async def keep_gateway(router: Router, wanted: asyncio.Event) -> None:
    """Starts Envoy again when it has died, however often that takes; from when it is wanted on."""
    await wanted.wait()
    pause_s = _PAUSE_S
    while True:
        began = time.monotonic()
        await router.gateway.envoy.wait_exit()
        is_stable = time.monotonic() - began > _STABLE_S
        try:
            await router.start()
            message = "the gateway had ended and was started again"
            await router.ledger.write(Event(EventType.GATEWAY_RESTARTED, stamp(), message))
        except CompartmentError as error:
            _log.warning("the gateway does not come back: %s", error.message)
        if is_stable:
            pause_s = _PAUSE_S
        else:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


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
