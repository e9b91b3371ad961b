"""What the services take and answer now, read only while somebody asks.

Rates are differences of two readings, and all who ask share them: a reading is of all
environments, and good for everyone until it is a second old.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from core.engines.base import Usage
from core.errors import EngineUnavailable
from core.lines import stamp
from core.records import ActivationState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from core.gateway.gateway import Gateway
    from core.gateway.table import Traffic
    from core.promotion.engines import Engines
    from core.promotion.ledger import Ledger
    from core.records import Target

Json = dict[str, Any]
Number = TypeVar("Number", int, float)

_FRESH_S = 1.0
_COMPARABLE_S = 10.0
"""An older reading tells nothing of now: after a pause, the second reading has the first rates."""

_PATIENCE_S = 1.0
"""For the gateway and each engine, so that one that hangs does not hold back who asks."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """All counters at one moment, by activation; no traffic where the gateway does not say."""

    at: str
    at_s: float
    """By the clock that is never set."""
    serving: dict[str, tuple[Target, str]]
    """The activations that were live or draining, with their services."""
    usage: dict[str, Usage]
    traffic: dict[str, Traffic] | None


class Statistics:
    """Figures of the services of any environment. Costs nothing while nobody asks."""

    def __init__(
        self,
        ledger: Ledger,
        engines: Engines,
        gateway: Gateway,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._engines = engines
        self._gateway = gateway
        self._clock = clock
        self._reading = asyncio.Lock()
        self._before: _Reading | None = None
        self._now: _Reading | None = None

    async def sample(self, target: Target) -> Json:
        """The figures of an environment's services that have an instance; None where unknown."""
        async with self._reading:
            if self._now is None or self._clock() - self._now.at_s >= _FRESH_S:
                self._before, self._now = self._now, await self._read()
            before, now = self._before, self._now
        if before is not None and now.at_s - before.at_s > _COMPARABLE_S:
            before = None
        services: dict[str, list[str]] = defaultdict(list)
        # What has ended since the reading before has answered some of the requests.
        for name, (of, service) in ((before.serving if before else {}) | now.serving).items():
            if of == target:
                services[service].append(name)
        present = {service for of, service in now.serving.values() if of == target}
        return {
            "at": now.at,
            "services": {name: _figures(services[name], before, now) for name in sorted(present)},
        }

    async def _read(self) -> _Reading:
        at, at_s = stamp(), self._clock()
        # Candidates as well: once one is live there is something to compare with.
        usage = await self._usage()
        traffic = await self._traffic()
        return _Reading(at, at_s, self._serving(), usage, traffic)

    async def _usage(self) -> dict[str, Usage]:
        """By activation: what all its instances take together."""
        activations = list(self._ledger.activations.values())
        names = [name for each in activations for name in each.instance_names]
        found: dict[str, Usage] = {}
        for engine in self._engines:
            with suppress(EngineUnavailable, TimeoutError):
                async with asyncio.timeout(_PATIENCE_S):
                    found |= await engine.usage(names)
        told = {
            each.name: [found[n] for n in each.instance_names if n in found] for each in activations
        }
        return {
            name: Usage(
                sum(each.cpu_seconds for each in parts), sum(each.memory_bytes for each in parts)
            )
            for name, parts in told.items()
            if parts
        }

    def _serving(self) -> dict[str, tuple[Target, str]]:
        found = {}
        for each in self._ledger.activations.values():
            if each.state in (ActivationState.LIVE, ActivationState.DRAINING):
                deployment = self._ledger.deployments[each.deployment_id]
                found[each.name] = (deployment.target, deployment.service.name)
        return found

    async def _traffic(self) -> dict[str, Traffic] | None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self._gateway.traffic()
        except TimeoutError:
            return None


def _figures(names: Sequence[str], before: _Reading | None, now: _Reading) -> Json:
    """The figures of one service, over its live and its draining activations."""
    requests = {name: _per_second(name, before, now, _requests) for name in names}
    errors = [_per_second(name, before, now, _errors) for name in names]
    memory = _sum(now.usage[name].memory_bytes for name in names if name in now.usage)
    return {
        "cpuPercent": _rounded(_sum(_cpu_percent(name, before, now) for name in names), 1),
        "memoryBytes": memory,
        "requestsPerSecond": _rounded(_sum(requests.values()), 2),
        "errorsPerSecond": _rounded(_sum(errors), 2),
        "p95Ms": _rounded(_p95_ms(requests, now.traffic or {}), 1),
    }


def _cpu_percent(name: str, before: _Reading | None, now: _Reading) -> float | None:
    """Of one processor."""
    if before is None or name not in before.usage or name not in now.usage:
        return None
    seconds = now.usage[name].cpu_seconds - before.usage[name].cpu_seconds
    return 100 * max(0.0, seconds) / (now.at_s - before.at_s)


def _requests(traffic: Traffic) -> int:
    return traffic.requests_total


def _errors(traffic: Traffic) -> int:
    return traffic.errors_total


def _per_second(
    name: str, before: _Reading | None, now: _Reading, total: Callable[[Traffic], int]
) -> float | None:
    if before is None or before.traffic is None or now.traffic is None or name not in now.traffic:
        return None
    # What was not there before has answered all it has since then.
    counted = total(before.traffic[name]) if name in before.traffic else 0
    more = total(now.traffic[name]) - counted
    # A gateway that was started again counts from zero.
    return more / (now.at_s - before.at_s) if more >= 0 else None


def _p95_ms(requests: Mapping[str, float | None], traffic: Mapping[str, Traffic]) -> float | None:
    """That of the activation which answers most: percentiles have no sum."""
    known = {name: traffic[name].p95_ms for name in requests if name in traffic}
    told = [name for name, p95_ms in known.items() if p95_ms is not None]
    return known[max(told, key=lambda name: requests[name] or 0.0)] if told else None


def _sum(figures: Iterable[Number | None]) -> Number | None:
    """The sum of what is known; None when nothing is."""
    known = [figure for figure in figures if figure is not None]
    return sum(known[1:], start=known[0]) if known else None


def _rounded(figure: float | None, digits: int) -> float | None:
    return None if figure is None else round(figure, digits)
