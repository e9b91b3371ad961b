"""Envoy's admin interface, over its private unix socket."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import httpx

from core.errors import GatewayUnavailable
from core.gateway.table import (
    PAGES,
    STREAMS_SUFFIX,
    TCP_SUFFIX,
    UNLIMITED,
    Cause,
    Failure,
    InFlight,
    Traffic,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_TIMEOUT_S = 5.0


_OTHER_PORT = r"(-\d+)?"
"""Follows the name of an activation in those of its upstreams."""

_CLUSTER = rf"cluster\.[^.]+(\.\d+{_OTHER_PORT})?({re.escape(STREAMS_SUFFIX)})?"
"""Any cluster itself, without what Envoy counts apart as internal and external requests."""

_TRAFFIC = rf"^{_CLUSTER}\.upstream_rq_(completed|[1-5]xx|time)$"
_RETRIES = ".remaining_retries"
_CLASSES = ("1xx", "2xx", "3xx", "4xx", "5xx")


class Admin:
    """Reads figures from a running Envoy; GatewayUnavailable when it does not answer."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._client = httpx.AsyncClient(
            # A kept connection would go on to ask an Envoy that has handed over.
            transport=httpx.AsyncHTTPTransport(
                uds=str(socket), limits=httpx.Limits(max_keepalive_connections=0)
            ),
            base_url="http://envoy",
            timeout=_TIMEOUT_S,
        )

    async def close(self) -> None:
        """Ends the connections."""
        await self._client.aclose()

    async def live_epoch(self) -> int | None:
        """Which Envoy it is that has loaded its first configuration and serves; None: none does."""
        try:
            told = (await self._client.get("/server_info")).json()
            is_live = told["state"] == "LIVE"
            return int(told["command_line_options"]["restart_epoch"]) if is_live else None
        except (httpx.HTTPError, ValueError, KeyError):
            return None

    async def version(self) -> str:
        """Which Envoy answers, such as `1.40.0`.

        Raises:
            GatewayUnavailable: none does.
        """
        try:
            return str((await self._client.get("/server_info")).json()["version"]).split("/")[1]
        except (httpx.HTTPError, ValueError, KeyError, IndexError) as error:
            raise _silent(error) from error

    async def stats(self, pattern: str) -> dict[str, Any]:
        """The statistics whose names match a regular expression: numbers, or text for versions."""
        return {row["name"]: row["value"] for row in await self._rows(pattern) if "name" in row}

    async def _rows(self, pattern: str) -> list[dict[str, Any]]:
        """Counters and gauges; all histograms together are the last of the rows."""
        try:
            reply = await self._client.get("/stats", params={"format": "json", "filter": pattern})
            reply.raise_for_status()
            rows: list[dict[str, Any]] = reply.json()["stats"]
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise _silent(error) from error
        return rows

    async def exposition(self, pattern: str) -> str:
        """The same in Prometheus' format, which alone has the sums of histograms."""
        try:
            reply = await self._client.get("/stats/prometheus", params={"filter": pattern})
            reply.raise_for_status()
        except httpx.HTTPError as error:
            raise _silent(error) from error
        return reply.text

    async def traffic(self) -> dict[str, Traffic]:
        """What every upstream has answered, in one look."""
        counted: dict[str, Counter[str]] = defaultdict(Counter)
        p95_ms: dict[str, float] = {}
        for row in await self._rows(_TRAFFIC):
            if "histograms" in row:
                p95_ms = _p95(row["histograms"])
            else:
                cluster, figure = _named(row["name"])
                counted[_activation(cluster)][figure] += row["value"]
        return {
            upstream: _traffic(figures, p95_ms.get(upstream))
            for upstream, figures in counted.items()
            if upstream != PAGES
        }

    async def failing(self) -> dict[tuple[str, tuple[str, int]], Failure]:
        """The instances whose last health check failed, by upstream and address."""
        try:
            reply = await self._client.get("/clusters", params={"format": "json"})
            reply.raise_for_status()
            clusters: list[dict[str, Any]] = reply.json()["cluster_statuses"]
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise _silent(error) from error
        return {
            (cluster["name"], _address(host)): _failure(host["health_status"])
            for cluster in clusters
            for host in cluster.get("host_statuses", ())
            if host["health_status"].get("failed_active_health_check")
        }

    async def in_flight(self, activation: str) -> InFlight:
        """What the upstreams of an activation carry now.

        Requests that wait for a connection are included, and those between two tries.
        """
        found = await self.stats(
            rf"^{_cluster_of(activation)}"
            rf"(({re.escape(STREAMS_SUFFIX)})?"
            r"\.(upstream_rq_(active|pending_active)|circuit_breakers\.default\.remaining_retries)"
            rf"|{re.escape(TCP_SUFFIX)}\.upstream_cx_active)$"
        )
        streams = {
            name: value
            for name, value in found.items()
            if f"{STREAMS_SUFFIX}." in name or f"{TCP_SUFFIX}." in name
        }
        requests = {name: value for name, value in found.items() if name not in streams}
        return InFlight(requests=_carried(requests), streams=_carried(streams))

    async def totals(self, activation: str) -> tuple[Traffic, int]:
        """What an activation has answered, and how many requests (not streams) it has cut.

        It cuts them by closing their connection.
        """
        found = await self.stats(
            rf"^{_cluster_of(activation)}({re.escape(STREAMS_SUFFIX)})?"
            r"\.(upstream_rq_(completed|[1-5]xx)|upstream_cx_destroy_remote_with_active_rq)$"
        )
        figures: Counter[str] = Counter()
        for name, value in found.items():
            figures[_named(name)[1]] += value
        cut = sum(
            value
            for name, value in found.items()
            if name.endswith("_with_active_rq") and f"{STREAMS_SUFFIX}." not in name
        )
        return _traffic(figures, None), int(cut)


def _carried(found: Mapping[str, int]) -> int:
    """One that is tried again is in two counts, and between two tries in that of retries alone."""
    # While two Envoys serve, what remains to both is added up.
    again = sum(-value % UNLIMITED for name, value in found.items() if name.endswith(_RETRIES))
    counted = sum(value for name, value in found.items() if not name.endswith(_RETRIES))
    return max(counted, again)


def _cluster_of(activation: str) -> str:
    """Of any port of an activation."""
    return rf"cluster\.{re.escape(activation)}{_OTHER_PORT}"


def _activation(cluster: str) -> str:
    """The activation that a cluster is a port of."""
    return re.sub(r"(\.\d+)-\d+$", r"\1", cluster.removesuffix(STREAMS_SUFFIX))


def _traffic(figures: Counter[str], p95_ms: float | None) -> Traffic:
    by_class = {each: figures[f"upstream_rq_{each}"] for each in _CLASSES}
    return Traffic(
        figures["upstream_rq_completed"],
        by_class["5xx"],
        p95_ms,
        {each: count for each, count in by_class.items() if count},
    )


def _silent(error: Exception) -> GatewayUnavailable:
    return GatewayUnavailable(
        f"the gateway's admin interface does not answer: {error}", hint="run `compartment doctor`"
    )


def _address(host: dict[str, Any]) -> tuple[str, int]:
    at = host["address"]["socket_address"]
    return at["address"], at["port_value"]


def _failure(status: dict[str, Any]) -> Failure:
    return Failure(Cause.TIMEOUT if status.get("active_hc_timeout") else Cause.UNKNOWN)


def _named(statistic: str) -> tuple[str, str]:
    """The cluster and the figure that a statistic is of."""
    cluster, _, figure = statistic.removeprefix("cluster.").rpartition(".")
    return cluster, figure


def _p95(histograms: dict[str, Any]) -> dict[str, float]:
    """The 95th percentile of each cluster in the last interval that is over, in ms.

    Envoy closes an interval every 5 s; one without requests has none.
    """
    at = histograms["supported_quantiles"].index(95)
    found = {
        _named(each["name"])[0]: each["values"][at]["interval"]
        for each in histograms["computed_quantiles"]
    }
    return {cluster: value for cluster, value in found.items() if value is not None}
