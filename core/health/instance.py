"""The health of one live instance, from everybody who knows something of it.

The engine tells when it is down, the gateway when it fails its health check, Docker what the check
of its image says. Only what none of them can look at is checked by the agent itself.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from core.ending import single_error
from core.gateway.table import Cause
from core.health import words
from core.model import Health, ReadinessType
from core.promotion.finishing import has_finished, serves
from core.promotion.probes import TcpProbe, probe_of
from core.promotion.readiness import until_good
from core.promotion.serving import check_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.engines.base import Exit, Instance, Life, OwnHealth
    from core.gateway.table import Check, Failure
    from core.health.restarts import Restarts
    from core.model import Readiness
    from core.promotion.parts import Parts
    from core.promotion.probes import Probe, Tried
    from core.records import Activation

_STABLE_S: Final = 5.0
"""What ended again sooner than this is in a restart loop, and not well before it is over."""

_COMMAND_LIMIT_S: Final = 5.0
"""A command has to be started first, which takes its time on a machine under load."""

_DOUBTED_S: Final = 3.0
"""Within this the gateway has checked once more what had failed, even if that hangs."""

_DOUBT_LIMIT_S: Final = 0.9
_DOUBT_PAUSE_S: Final = 0.25
_WORDS_LIMIT_S: Final = 0.2
"""It is told within 2 s that something is wrong, with or without the right words."""


class _Source(IntEnum):
    """Who knows something, the one who knows best first."""

    LIFE = 1
    CHECK = 2
    OWN_CHECK = 3


class InstanceHealth:
    """Follows one instance; `note` is told what is wrong with it, and None when nothing is."""

    def __init__(
        self,
        parts: Parts,
        activation: Activation,
        instance: Instance,
        note: Callable[[str | None], None],
        restarts: Restarts,
    ) -> None:
        deployment = parts.ledger.deployments[activation.deployment_id]
        self._parts = parts
        self._activation = activation
        self._instance = instance
        self._service = deployment.service
        self._readiness = deployment.service.readiness
        self._check = check_of(deployment)
        self._note = note
        self._owner = (deployment.target, deployment.service.name)
        self._restarts = restarts
        self._faults: dict[_Source, str] = {}

    async def follow(self) -> Exit:
        """Tells how it is, until it has ended for good; returns how."""
        with single_error():
            async with asyncio.TaskGroup() as tasks:
                work = [self._follow_life(), self._follow_own_check(), self._follow_check()]
                following = [tasks.create_task(each) for each in work]
                ended = await self._instance.wait_exit()
                for each in following:
                    each.cancel()
        return ended

    def _set(self, source: _Source, fault: str | None) -> None:
        if fault is None:
            self._faults.pop(source, None)
        else:
            self._faults[source] = fault
        self._note(self._faults[min(self._faults)] if self._faults else None)

    def _of_end(self, life: Life) -> str | None:
        """Why an end is a fault, unless it has finished."""
        is_served = serves(self._parts.ledger, self._activation)
        is_over = has_finished(self._service, life.last_exit, is_served=is_served)
        return None if is_over and not life.is_up else words.of_end(life)

    async def _follow_life(self) -> None:
        """An end is a fault; it is over when it is up again, and stays up if it was in a loop."""
        life, is_loop, up_again_at = self._instance.life, False, float("-inf")
        if not life.is_up:
            self._set(_Source.LIFE, self._of_end(life))
        async with asyncio.TaskGroup() as tasks:
            recovery: asyncio.Task[None] | None = None
            while True:
                before, life = life, await self._instance.next_life(life)
                self._restarts.note(self._owner, before, life)
                if recovery is not None:
                    recovery.cancel()
                now = time.monotonic()
                if before.is_up:
                    is_loop = now - up_again_at < _STABLE_S
                elif life.restarts - before.restarts > life.is_up:
                    is_loop = True  # it was up for so short a time that nobody has seen it
                if life.is_up:
                    up_again_at = now
                    recovery = tasks.create_task(self._recover(life, is_loop=is_loop))
                self._set(_Source.LIFE, self._of_end(life))

    async def _recover(self, life: Life, *, is_loop: bool) -> None:
        if is_loop:
            fault = f"{words.of_end(life)}, up for less than {_STABLE_S:g} s"
            self._set(_Source.LIFE, fault)
            await asyncio.sleep(_STABLE_S)
        if self._readiness is not None:
            probe = self._probe(self._readiness)
            await until_good(probe, lambda _: None)
        self._set(_Source.LIFE, None)

    def _probe(self, block: Readiness) -> Probe:
        return probe_of(self._parts, block, self._instance)

    async def _follow_own_check(self) -> None:
        found = self._instance.own_health
        while True:
            self._tell_own_check(found)
            found = await self._instance.next_health()

    def _tell_own_check(self, found: OwnHealth | None) -> None:
        # While it says nothing yet, it is what it was.
        if found is not None and found.health is not Health.PENDING:
            is_well = found.health is Health.HEALTHY
            self._set(_Source.OWN_CHECK, None if is_well else f"its own check says: {found.detail}")

    async def _follow_check(self) -> None:
        block = self._readiness
        if block is not None and (self._check is None or block.type is ReadinessType.COMMAND):
            await self._check_it(block)
        elif self._check is not None:
            await self._follow_gateway(self._check)
        else:
            self._set(_Source.CHECK, None)

    async def _check_it(self, block: Readiness) -> None:
        """What the gateway cannot check, the agent does."""
        probe, interval_s = self._probe(block), block.interval_ms / 1000
        is_command = block.type is ReadinessType.COMMAND
        limit_s = _COMMAND_LIMIT_S if is_command else min(0.9 * interval_s, _COMMAND_LIMIT_S)
        while True:
            tried = await probe.attempt(limit_s)
            fault = f"{probe.what} {'' if is_command else '-> '}{tried}"
            self._set(_Source.CHECK, None if tried.is_good else fault)
            await asyncio.sleep(interval_s if tried.is_good else min(interval_s, 1.0))

    async def _follow_gateway(self, check: Check) -> None:
        findings, address = self._parts.router.gateway.findings, self._instance.address
        found = findings.of(self._activation.name, address)
        # It may have been found before it was ready: then it passes, and the gateway's next check
        # finds the same, or that it fails again, which would be no news to the gateway.
        believed_at = time.monotonic() + _DOUBTED_S
        while found is not None and time.monotonic() < believed_at:
            if not (await self._try(check, _DOUBT_LIMIT_S)).is_good:
                break
            self._set(_Source.CHECK, None)
            with suppress(TimeoutError):
                async with asyncio.timeout(_DOUBT_PAUSE_S):
                    found = await findings.next(self._activation.name, address, found)
        while True:
            self._set(_Source.CHECK, await self._why(check, found) if found else None)
            found = await findings.next(self._activation.name, address, found)

    async def _why(self, check: Check, failure: Failure) -> str:
        """What the gateway does not say is seen by trying."""
        if failure.cause in (Cause.CONNECTION, Cause.UNKNOWN):
            tried = await self._try(check, _WORDS_LIMIT_S)
            if tried.is_late:
                return words.NO_ANSWER
            if not tried.is_good:
                return words.of_try(check, tried)
        return words.of_failure(check, failure)

    async def _try(self, check: Check, limit_s: float) -> Tried:
        if self._readiness is not None and check.path is not None:
            return await self._probe(self._readiness).attempt(limit_s)
        return await TcpProbe(*self._instance.address).attempt(limit_s)
