"""Every live activation is watched, from the moment it is one."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from core.ending import single_error
from core.errors import CompartmentError
from core.health.activation import ActivationHealth
from core.health.addresses import AddressWatch
from core.health.instance import InstanceHealth
from core.health.ports import PortWatch
from core.health.restarts import Restarts
from core.promotion.finishing import has_finished, serves, was_seen_to_finish, with_finished
from core.records import ActivationState

if TYPE_CHECKING:
    from core.engines.base import Engine
    from core.promotion.parts import Parts
    from core.records import Activation

_log = logging.getLogger(__name__)


class HealthWatch:
    """Begins and ends the watching. `tasks` owns it."""

    def __init__(self, parts: Parts, tasks: asyncio.TaskGroup) -> None:
        self._parts = parts
        self._tasks = tasks
        self._watched: dict[str, asyncio.Task[None]] = {}
        self.restarts = Restarts()

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
        health = ActivationHealth(self._parts.ledger, activation)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(health.keep_told())
            if self._is_contained(activation):
                for each in (PortWatch, AddressWatch):
                    tasks.create_task(self._watch_where(each(self._parts, activation), activation))
            for name in activation.instance_names:
                tasks.create_task(self._watch_one(activation, name, health))

    def _is_contained(self, activation: Activation) -> bool:
        found = self._parts.ledger.deployments[activation.deployment_id]
        return found.service.container is not None

    async def _watch_where(self, watch: PortWatch | AddressWatch, activation: Activation) -> None:
        """Follows where a Compose service is to be reached."""
        try:
            with single_error():
                await watch.follow()
        except CompartmentError as error:
            _log.warning("where %s is, is not watched: %s", activation.name, error.message)
        except Exception:  # noqa: BLE001 - the top of a watch; the agent must not end with it
            _log.exception("where %s is, is not watched, because of a bug", activation.name)

    async def _watch_one(self, activation: Activation, name: str, health: ActivationHealth) -> None:
        def note(fault: str | None) -> None:
            health.note(name, fault)

        try:
            engine = self._parts.engine_behind(activation)
            service = self._parts.ledger.deployments[activation.deployment_id].service
            instance = await engine.adopt(name)
            if instance is None:
                is_well = was_seen_to_finish(self._parts.ledger, activation, name)
                note(None if is_well else "it does not run")
                return
            with single_error():
                found = InstanceHealth(self._parts, activation, instance, note, self.restarts)
                ended = await found.follow()
            is_served = serves(self._parts.ledger, activation)
            if has_finished(service, ended, is_served=is_served):
                ledger = self._parts.ledger
                await ledger.update(lambda: with_finished(ledger, activation, name))
                note(None)
            else:
                health.end(name, f"{ended} and is not restarted")
        except CompartmentError as error:
            # Nothing is known of it, and nothing is told.
            _log.warning("%s is not watched: %s", name, error.message)
        except Exception:  # noqa: BLE001 - the top of a watch; the agent must not end with it
            _log.exception("%s is not watched any more, because of a bug", name)
