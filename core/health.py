"""Health after activation: what is live is watched, and so is the gateway in front of it."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from core.ending import single_error
from core.errors import CompartmentError, JournalError
from core.events import Event, EventType
from core.lines import stamp
from core.model import Health
from core.promotion.ledger import deployment_event
from core.records import Activation, ActivationState

if TYPE_CHECKING:
    from core.engines.base import Engine, Instance
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

    def look_again(self, engine: Engine) -> None:
        """Watches what is live on an engine anew: it may have been started again meanwhile."""
        for name, activation in self._live().items():
            if name in self._watched and self._parts.engine_behind(activation) is engine:
                self._watched[name].cancel()
                self._watched[name] = self._tasks.create_task(self._watch(activation))

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
        """Tells what becomes of the instances of a live activation, as long as it is live."""
        unhealthy = set[str]()
        async with asyncio.TaskGroup() as tasks:
            for name in activation.instance_names:
                tasks.create_task(self._watch_one(activation, name, unhealthy))

    async def _watch_one(self, activation: Activation, name: str, unhealthy: set[str]) -> None:
        """`unhealthy` are those of its instances that are: it is healthy when there are none."""
        try:
            instance = await self._parts.engine_behind(activation).adopt(name)
        except CompartmentError as error:
            _log.warning("%s is not watched: %s", name, error.message)
            return
        if instance is None:
            return
        with single_error():
            async with asyncio.TaskGroup() as tasks:
                own = tasks.create_task(self._tell_own_health(activation, instance, unhealthy))
                ended = await instance.wait_exit()
                own.cancel()
        unhealthy.add(name)
        which = "it" if activation.replicas == 1 else f"instance {name}"
        await self._tell(activation, unhealthy, f"{which} {ended} and is not restarted")

    async def _tell_own_health(
        self, activation: Activation, instance: Instance, unhealthy: set[str]
    ) -> None:
        found = instance.own_health
        while True:
            why = f"its own check says: {found.detail}" if found else ""
            if found is not None and found.health is Health.UNHEALTHY:
                unhealthy.add(instance.name)
                await self._tell(activation, unhealthy, why)
            elif found is not None and found.health is Health.HEALTHY:
                unhealthy.discard(instance.name)
                await self._tell(activation, unhealthy, why)
            found = await instance.next_health()

    async def _tell(self, activation: Activation, unhealthy: set[str], why: str) -> None:
        try:
            await self._parts.ledger.update(lambda: self._changed(activation, unhealthy, why))
        except JournalError as error:
            # What is true stays true; the run that needs the journal next tells of it.
            _log.warning("%s: %s: %s", activation.name, why, error.message)

    def _changed(self, activation: Activation, unhealthy: set[str], why: str) -> list[Record]:
        """Nothing, if it is not live any more, or is known to be so."""
        deployment = self._parts.ledger.deployments.get(activation.deployment_id)
        live = self._live().get(activation.name)
        if live is None or deployment is None:
            return []
        health = Health.UNHEALTHY if unhealthy else Health.HEALTHY
        if (deployment.health, live.unhealthy) == (health, len(unhealthy)):
            return []
        event = deployment_event(
            EventType.HEALTH_CHANGED, deployment, f"{health}: {why}", health=health
        )
        changed = replace(live, unhealthy=len(unhealthy))
        return [changed, deployment.changed(health=health), event]
