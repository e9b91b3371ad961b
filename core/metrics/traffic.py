"""What the gateway says of each service, counted since this agent began.

Envoy counts by activation, and forgets one that has ended; what is told of a service never falls.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from core.errors import GatewayUnavailable
from core.gateway.answers import read_carried, read_latency
from core.metrics.counting import Rising
from core.metrics.exposition import Buckets, Family, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.gateway.answers import Carried, Latency
    from core.gateway.gateway import Gateway
    from core.metrics.counting import Reading
    from core.metrics.exposition import Labels
    from core.metrics.owners import Owners

_SERVICE: Final = ("project", "environment", "service")
_SUM: Final = "sum"
_MS: Final = 1000.0
_BOUNDS_MS: Final = ("0.5", "1", "5", "10", "25", "50", "100", "250", "500", "1000", "2500", "5000",
                     "10000", "30000", "60000", "+Inf")  # fmt: skip
"""Of the buckets that Envoy has by default; those above tell one hanging request from another."""


class ServiceTraffic:
    """Requests of services."""

    def __init__(self, gateway: Gateway, owners: Owners) -> None:
        self._gateway = gateway
        self._owners = owners
        self._requests = Rising()
        self._latency = Rising()
        self._carried: dict[str, Carried] = {}
        self.gateway_version: str | None = None
        """None where the gateway has not answered when it was asked last."""

    async def begin(self) -> None:
        """What was answered before this agent began is not counted again."""
        found = await self._read()
        if found is not None:
            self._requests.begin(found[0])
            self._latency.begin(found[1])

    async def learn(self) -> None:
        """Takes over what the gateway says by now."""
        found = await self._read()
        if found is not None:
            self._requests.add(found[0])
            self._latency.add(found[1])

    async def _read(self) -> tuple[Reading, Reading] | None:
        """Requests by class, and latency by bucket; None where the gateway does not say."""
        self._carried, self.gateway_version = {}, None
        traffic = await self._gateway.traffic()
        if traffic is None:
            return None
        try:
            latency = await read_latency(self._gateway.envoy.admin)
            self._carried = await read_carried(self._gateway.envoy.admin)
            self.gateway_version = await self._gateway.envoy.admin.version()
        except GatewayUnavailable:
            return None
        await self._owners.learn({*traffic, *latency, *self._carried})
        return (
            self._labelled({name: each.by_class for name, each in traffic.items()}),
            self._labelled({name: _counters(each) for name, each in latency.items()}),
        )

    def _labelled(self, counters: Mapping[str, Mapping[str, float]]) -> Reading:
        return {
            name: {(*owner, kind): value for kind, value in each.items()}
            for name, each in counters.items()
            if (owner := self._owners.of(name)) is not None
        }

    def families(self) -> list[Family]:
        """All of it, by service."""
        requests: Counter[Labels] = Counter()
        streams: Counter[Labels] = Counter()
        for name, each in self._carried.items():
            owner = self._owners.of(name)
            if owner is not None:
                requests[owner] += each.requests
                streams[owner] += each.streams
        return [
            Family(
                "compartment_requests_total", Kind.COUNTER,
                "Requests that were answered, by the class of the reply.",
                (*_SERVICE, "code"), self._requests.sums,
            ),
            Family(
                "compartment_request_duration_seconds", Kind.HISTOGRAM,
                "How long services took to answer; streams do not count.",
                _SERVICE, _histograms(self._latency.sums),
            ),
            Family(
                "compartment_requests_in_flight", Kind.GAUGE,
                "Requests that are being answered now.", _SERVICE, requests,
            ),
            Family(
                "compartment_streams_open", Kind.GAUGE,
                "Long streams and passed-on connections that are open now.", _SERVICE, streams,
            ),
        ]  # fmt: skip


def _counters(latency: Latency) -> dict[str, float]:
    counts = {bound: latency.buckets.get(bound, 0) for bound in _BOUNDS_MS}
    return {**counts, _SUM: latency.total_ms}


def _histograms(sums: Mapping[Labels, float]) -> dict[Labels, Buckets]:
    owners = dict.fromkeys(labels[:-1] for labels in sums)
    return {
        owner: Buckets(
            tuple((_seconds(bound), int(sums[*owner, bound])) for bound in _BOUNDS_MS),
            round(sums[*owner, _SUM] / _MS, 6),
        )
        for owner in owners
    }


def _seconds(bound_ms: str) -> str:
    return bound_ms if bound_ms == "+Inf" else str(float(bound_ms) / _MS)
