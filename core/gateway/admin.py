"""Envoy's admin interface, over its private unix socket."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx

from core.errors import GatewayUnavailable
from core.gateway.table import STREAMS_SUFFIX, InFlight

if TYPE_CHECKING:
    from pathlib import Path

_TIMEOUT_S = 5.0


class Admin:
    """Reads figures from a running Envoy; GatewayUnavailable when it does not answer."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=str(socket)),
            base_url="http://envoy",
            timeout=_TIMEOUT_S,
        )

    async def close(self) -> None:
        """Ends the connections."""
        await self._client.aclose()

    async def is_live(self) -> bool:
        """Whether Envoy has loaded its first configuration and serves."""
        try:
            return (await self._client.get("/ready")).text.strip() == "LIVE"
        except httpx.HTTPError:
            return False

    async def stats(self, pattern: str) -> dict[str, Any]:
        """The statistics whose names match a regular expression: numbers, or text for versions."""
        try:
            reply = await self._client.get("/stats", params={"format": "json", "filter": pattern})
            reply.raise_for_status()
            rows = reply.json()["stats"]
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise GatewayUnavailable(
                f"the gateway's admin interface does not answer: {error}",
                hint="run `compartment doctor`",
            ) from error
        return {row["name"]: row["value"] for row in rows if "name" in row}

    async def in_flight(self, upstream: str) -> InFlight:
        """Requests and streams that an upstream carries now, waiting ones included."""
        found = await self.stats(
            rf"^cluster\.{re.escape(upstream)}({re.escape(STREAMS_SUFFIX)})?"
            r"\.upstream_rq_(active|pending_active)$"
        )
        streams = sum(value for name, value in found.items() if STREAMS_SUFFIX in name)
        return InFlight(requests=sum(found.values()) - streams, streams=streams)

    async def cut(self, upstream: str) -> int:
        """How many requests (not streams) an upstream has cut by closing their connection."""
        name = f"cluster.{upstream}.upstream_cx_destroy_remote_with_active_rq"
        return int((await self.stats(f"^{re.escape(name)}$")).get(name, 0))
