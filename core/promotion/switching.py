"""The switch of a run: all its services at once, journalled before and after."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from core.ending import single_error
from core.events import EventType
from core.lines import stamp
from core.model import Health, Stage, Trigger
from core.promotion.candidate import stage_event
from core.promotion.failure import DeploymentFailed
from core.promotion.finishing import is_finished
from core.promotion.ledger import run_event
from core.promotion.states import Move, move
from core.records import Activation, ActivationState, Watched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.journal import Record
    from core.model import Service
    from core.promotion.ledger import Ledger
    from core.promotion.parts import Parts
    from core.records import Deployment, Run

_LOOKS_AGAIN_WITHIN_S: Final = 1.0
"""Twice its pause between two checks of what it has found unwell."""


class Switch:
    """One run's. `activations` are what is to become live; a job or a cron has none."""

    def __init__(
        self,
        parts: Parts,
        run: Run,
        deployments: Sequence[Deployment],
        activations: Sequence[Activation],
    ) -> None:
        self._parts = parts
        self._ledger = parts.ledger
        self._run = run
        self._ids = [each.id for each in deployments]
        self._activations = activations

    async def carry_out(self) -> None:
        """Sends all new requests to the new ones, and makes that true.

        Raises:
            CompartmentError: the gateway refused; the old routes are served.
            DeploymentFailed: an instance has ended; nothing was switched.
        """
        # What leads to the new ones must be known elsewhere, too, before anything is led there.
        await self._parts.manifests.catch_up()
        deployments = [self._ledger.deployments[each] for each in self._ids]
        # An agent before this one may have come as far as this.
        switching = [
            move(each, Move.SWITCH_ROUTE)
            for each in deployments
            if each.stage is not Stage.SWITCHING_ROUTE
        ]
        events = [stage_event(each, self._run.id) for each in switching]
        await self._ledger.write(*switching, *events)
        await self._keep_all()
        if not any(self._is_led_to(each) for each in deployments):
            await self._settle()
            return
        await self._until_found_well()
        seconds = await self._parts.router.switch(self._activations, self._settle, self._ids)
        await self._ledger.write(
            run_event(
                EventType.ROUTES_SWITCHED,
                self._run,
                f"routes switched in {seconds * 1000:.1f} ms",
                seconds=round(seconds, 6),
            )
        )

    def _is_led_to(self, incoming: Deployment) -> bool:
        """Whether routes may change: what it replaces may have been of another kind."""
        previous = self._ledger.active(incoming.target).get(incoming.service.name)
        services = [each.service for each in (incoming, previous) if each]
        return any(_may_be_led_to(each) for each in services)

    async def _until_found_well(self) -> None:
        """Before a first deploy the gateway looks at candidates that are not ready yet.

        It looks again in a moment. Until then it would send nothing to those.
        """
        findings = self._parts.router.gateway.findings
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOKS_AGAIN_WITHIN_S):
                for each in self._activations:
                    for address in each.addresses:
                        found = findings.of(each.name, address)
                        while found is not None:
                            found = await findings.next(each.name, address, found)

    async def _keep_all(self) -> None:
        with single_error():
            async with asyncio.TaskGroup() as group:
                for each in self._activations:
                    for name in each.instance_names:
                        group.create_task(self._keep(each, name))

    async def _keep(self, activation: Activation, name: str) -> None:
        engine = self._parts.engine_behind(activation)
        instance = await engine.adopt(name)
        if instance is not None and instance.exit is None:
            await instance.keep()
            return
        service = self._ledger.deployments[activation.deployment_id].service
        if not await is_finished(engine, service, name):
            raise DeploymentFailed(f"the candidate {name} has ended")

    async def _settle(self) -> None:
        await self._ledger.write(*settled(self._ledger, self._run, self._ids, self._activations))


def settled(
    ledger: Ledger, run: Run, ids: Sequence[str], activations: Sequence[Activation]
) -> list[Record]:
    """What makes an acknowledged switch true: who is active, what drains."""
    records: list[Record] = [
        replace(each, state=ActivationState.LIVE, replaced_by=None) for each in activations
    ]
    for deployment_id in ids:
        incoming = ledger.deployments[deployment_id]
        previous = ledger.active(incoming.target).get(incoming.service.name)
        if previous is None:
            changed = move(incoming, Move.ACTIVATE, replaced=None)
        else:
            changed = move(
                incoming,
                Move.DRAIN_PREVIOUS,
                replaced=previous.id,
                watched=_watched(incoming, run),
                returned_because=run.because,
            )
            records += _displaced(ledger, previous, run)
        records += [changed, stage_event(changed, run.id)]
    return records


def _watched(incoming: Deployment, run: Run) -> Watched | None:
    """What has something to go back to is watched, and a rollback is the end of it."""
    rule = incoming.service.auto_rollback
    if rule is None or run.trigger is Trigger.ROLLBACK:
        return None
    return Watched(until=stamp(datetime.now(UTC) + timedelta(milliseconds=rule.window_ms)))


def _displaced(ledger: Ledger, previous: Deployment, run: Run) -> list[Record]:
    is_rollback = run.trigger is Trigger.ROLLBACK
    how = Move.ROLL_BACK if is_rollback else Move.SUPERSEDE
    # What it was while it stood aside is nothing to remember it by.
    displaced = move(
        previous,
        how,
        health=Health.HEALTHY,
        health_reason=None,
        failure_message=run.because,
    )
    records: list[Record] = [displaced]
    if is_rollback:
        records.append(stage_event(displaced, run.id))
    for each in ledger.activations.values():
        if each.deployment_id != previous.id:
            continue
        if each.state is ActivationState.LIVE:
            draining = ActivationState.DRAINING
            records.append(replace(each, state=draining, replaced_by=run.id))
        elif each.state is ActivationState.ASIDE:
            records.append(replace(each, state=ActivationState.GONE))
    return records


def _may_be_led_to(service: Service) -> bool:
    """Whether the gateway leads to a service, maybe: a container is looked at to find out."""
    return service.kind.is_routable or service.container is not None
