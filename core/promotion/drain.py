"""Draining: the previous activation finishes what it has, counted, not timed."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import GatewayUnavailable
from core.gateway.table import InFlight

if TYPE_CHECKING:
    from core.gateway.gateway import Gateway
    from core.model import Drain
    from core.promotion.progress import Waiting

_SETTLE_S = 0.2
"""Zero is not believed sooner after the acknowledgement: old decisions may still be carried out."""

_QUIET_S = 0.03
"""Zero must hold this long: a request on its way from one count to another may be in neither."""

_LOOK_PAUSE_S = 0.01


@dataclass(frozen=True, slots=True)
class Drained:
    """How a drain ended; what is left is cut when the instance is stopped."""

    requests_left: int | None
    """None when the gateway did not say at the end."""
    streams_left: int
    seconds: float


async def drain(gateway: Gateway, upstream: str, limits: Drain, waiting: Waiting) -> Drained:
    """Waits until an upstream carries nothing, at most as long as its limits.

    Requests get `timeout_ms`. Once only streams are left they get `streams_ms`, because a stream
    may last for ever; the application is then asked to close them itself.
    A gateway that does not say what is in flight is asked again, up to the limit. One that has
    ended has nothing in flight: its connections died with it.
    """
    waiting.limit_s = limits.timeout_ms / 1000
    started = time.monotonic()
    only_streams_since: float | None = None
    quiet_since: float | None = None
    while True:
        found = await _look(gateway, upstream)
        at = time.monotonic()
        if found is None:
            quiet_since = only_streams_since = None
            if at - started >= limits.timeout_ms / 1000:
                return Drained(None, 0, at - started)
            await asyncio.sleep(_LOOK_PAUSE_S)
            continue
        is_quiet = found.requests == 0 and found.streams == 0
        quiet_since = (quiet_since or at) if is_quiet else None
        only_streams = found.requests == 0 and found.streams > 0
        only_streams_since = (only_streams_since or at) if only_streams else None
        waiting.requests, waiting.streams = found.requests, found.streams
        waiting.limit_s = _limit_s(limits, only_streams_since, started)
        if (
            _is_drained(at, started, quiet_since, gateway.lag_s)
            or at - started >= limits.timeout_ms / 1000
            or (only_streams_since and at - only_streams_since >= limits.streams_ms / 1000)
        ):
            return _drained(found, at - started)
        await asyncio.sleep(_LOOK_PAUSE_S)


async def _look(gateway: Gateway, upstream: str) -> InFlight | None:
    """What is in flight; None when that cannot be known now."""
    try:
        return await gateway.in_flight(upstream)
    except GatewayUnavailable:
        return None if gateway.envoy.is_running else InFlight(0, 0)


def _limit_s(limits: Drain, only_streams_since: float | None, started: float) -> float:
    """How long it may take in all, as it looks now."""
    limit_s = limits.timeout_ms / 1000
    if only_streams_since is None:
        return limit_s
    return min(limit_s, round(only_streams_since - started + limits.streams_ms / 1000, 3))


def _is_drained(at: float, started: float, quiet_since: float | None, lag_s: float) -> bool:
    """`lag_s` is how old what was found may be."""
    is_settled = at - started >= _SETTLE_S + lag_s
    return quiet_since is not None and at - quiet_since >= _QUIET_S and is_settled


def _drained(found: InFlight, seconds: float) -> Drained:
    return Drained(found.requests, found.streams, seconds)
