"""The end of what was replaced: drained, counted, stopped."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import GatewayUnavailable
from core.events import EventType
from core.promotion.drain import drain
from core.promotion.ledger import deployment_event
from core.promotion.progress import WaitKind
from core.promotion.serving import is_served
from core.records import Activation, ActivationState

if TYPE_CHECKING:
    from core.promotion.drain import Drained
    from core.promotion.parts import Parts
    from core.records import Deployment


class Retirement:
    """Ends what one run has replaced; what still drains can be handed over to the run after it."""

    def __init__(self, parts: Parts, run_id: str) -> None:
        self._parts = parts
        self._ledger = parts.ledger
        self._run_id = run_id
        self.heir: str | None = None
        """The run that what still drains was handed over to."""
        self._handed = asyncio.Event()

    def hand_over(self, run_id: str) -> None:
        """From now on what still drains is another run's: it may take it back, or drains it."""
        self.heir = run_id
        self._handed.set()

    async def retire(self, activation: Activation) -> int:
        """Drains and ends one activation; returns how many requests were cut."""
        deployment = self._ledger.deployments[activation.deployment_id]
        if not is_served(deployment, activation):
            await self.end(activation)
            cut = 0
        else:
            drained = await self._drain(activation)
            if drained is None:
                await self._ledger.write(replace(activation, replaced_by=self.heir))
                return 0
            cut = await self.stop_and_count(activation, drained)
        await self._ledger.write(replace(activation, state=ActivationState.GONE))
        return cut

    async def _drain(self, activation: Activation) -> Drained | None:
        """None: it was handed over."""
        draining = asyncio.create_task(self.drain(activation))
        handed = asyncio.create_task(self._handed.wait())
        try:
            await asyncio.wait([draining, handed], return_when=asyncio.FIRST_COMPLETED)
            return draining.result() if draining.done() else None
        finally:
            handed.cancel()
            draining.cancel()

    async def drain(self, activation: Activation) -> Drained:
        """Waits until an activation carries nothing more, as long as it may."""
        deployment = self._ledger.deployments[activation.deployment_id]
        with self._parts.progress.waits(WaitKind.DRAIN, self._successor(deployment)) as waiting:
            gateway, limits = self._parts.router.gateway, deployment.service.drain
            return await drain(gateway, activation.name, limits, waiting)

    async def stop_and_count(self, activation: Activation, drained: Drained) -> int:
        """Ends what was drained; returns how many requests that has cut."""
        deployment = self._ledger.deployments[activation.deployment_id]
        before = await self._cut_so_far(activation)
        await self.end(activation)
        cut: int | None = 0
        if drained.requests_left != 0:
            after = await self._cut_so_far(activation)
            cut = max(0, after - before) if after is not None and before is not None else None
        told = "an unknown number of" if cut is None else cut
        await self._ledger.write(
            deployment_event(
                EventType.PREVIOUS_DRAINED,
                deployment,
                f"drained in {drained.seconds:.2f} s, {told} requests cut,"
                f" {drained.streams_left} streams asked to close",
                run_id=self._run_id,
                seconds=round(drained.seconds, 3),
                requestsCut=cut,
                streamsClosed=drained.streams_left,
            )
        )
        return cut or 0

    async def end(self, activation: Activation) -> None:
        """Asks the instances to end, and sees to it that they do."""
        deployment = self._ledger.deployments[activation.deployment_id]
        with self._parts.progress.waits(
            WaitKind.DRAIN,
            self._successor(deployment),
            limit_s=self._parts.grace_s(deployment.service),
            detail="the previous one was asked to end",
        ):
            await self._parts.stop(activation)

    def _successor(self, previous: Deployment) -> str:
        """The deployment that waits for the end of this one: who watches looks at that."""
        run = self._ledger.runs.get(self._run_id)
        for each in run.deployment_ids if run else ():
            found = self._ledger.deployments.get(each)
            if found and found.service.name == previous.service.name:
                return found.id
        return previous.id

    async def _cut_so_far(self, activation: Activation) -> int | None:
        try:
            return await self._parts.router.gateway.cut(activation.name)
        except GatewayUnavailable:
            return None
