"""All metrics, put together when somebody asks. While nobody does they cost nothing."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Final

from core import __version__
from core.metrics.exposition import Family, Kind, page
from core.metrics.history import History
from core.metrics.owners import Owners
from core.metrics.traffic import ServiceTraffic
from core.records import ActivationState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.gateway.gateway import Gateway
    from core.health.restarts import Restarts
    from core.metrics.exposition import Labels
    from core.promotion.ledger import Ledger

_SERVICE: Final = ("project", "environment", "service")


class Metrics:
    """What this agent knows of its home, as figures."""

    def __init__(self, ledger: Ledger, gateway: Gateway, restarts: Restarts) -> None:
        self._ledger = ledger
        self._restarts = restarts
        self._history = History(ledger.journal)
        self._traffic = ServiceTraffic(gateway, Owners(ledger))
        self._began_at = time.time()
        self._reading = asyncio.Lock()

    async def begin(self) -> None:
        """What was answered before this agent began is not counted again."""
        await self._history.begin()
        await self._traffic.begin()

    async def keep(self) -> None:
        """Counts what the journal has, and keeps that: what was counted may be deleted then.

        Raises:
            JournalError: the journal cannot be used.
        """
        await self._history.keep()

    async def page(self, *, is_open: bool) -> str:
        """All of it; `is_open`: as OpenMetrics.

        Raises:
            JournalError: the journal cannot be read.
        """
        async with self._reading:
            await self._history.learn()
            await self._traffic.learn()
            return page(self._families(), is_open=is_open)

    def _families(self) -> Iterator[Family]:
        version = self._traffic.gateway_version
        yield Family(
            "compartment_build_info", Kind.GAUGE, "The version of the agent; always 1.",
            ("version",), {(__version__,): 1},
        )  # fmt: skip
        yield Family(
            "compartment_agent_start_time_seconds", Kind.GAUGE,
            "When the agent began, in seconds since 1970.", (), {(): round(self._began_at, 3)},
        )  # fmt: skip
        yield Family(
            "compartment_gateway_up", Kind.GAUGE, "Whether the gateway answers the agent.",
            (), {(): int(version is not None)},
        )  # fmt: skip
        yield Family(
            "compartment_gateway_info", Kind.GAUGE, "The version of Envoy; always 1.",
            ("version",), {(version,): 1} if version else {},
        )  # fmt: skip
        yield from self._history.families()
        yield from self._instances()
        yield from self._traffic.families()
        yield self._certificates()

    def _instances(self) -> Iterator[Family]:
        live: Counter[Labels] = Counter()
        healthy: Counter[Labels] = Counter()
        for each in self._ledger.activations.values():
            if each.state is ActivationState.LIVE:
                deployment = self._ledger.deployments[each.deployment_id]
                target = deployment.target
                labels = (target.project, target.environment, deployment.service.name)
                live[labels] += each.replicas
                healthy[labels] += each.replicas - each.unhealthy
        restarts: dict[Labels, float] = {
            (target.project, target.environment, service): count
            for (target, service), count in self._restarts.counted.items()
        }
        yield Family(
            "compartment_instances", Kind.GAUGE, "Instances that are live.", _SERVICE, live
        )
        yield Family(
            "compartment_healthy_instances", Kind.GAUGE,
            "Instances that are live, and unhealthy by no check.", _SERVICE, healthy,
        )  # fmt: skip
        yield Family(
            "compartment_instance_restarts_total", Kind.COUNTER,
            "How often instances ended by themselves and were started again.", _SERVICE, restarts,
        )  # fmt: skip

    def _certificates(self) -> Family:
        ends: dict[Labels, float] = {}
        for each in self._ledger.domains.values():
            if each.certificate is not None:
                labels = (each.target.project, each.target.environment, each.service, each.host)
                ends[labels] = datetime.fromisoformat(each.certificate.valid_until).timestamp()
        return Family(
            "compartment_certificate_expiry_time_seconds", Kind.GAUGE,
            "Until when the certificate of a domain is valid, in seconds since 1970.",
            (*_SERVICE, "domain"), ends,
        )  # fmt: skip
