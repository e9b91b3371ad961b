"""How upstreams answer, in the detail in which it is measured. Read only when somebody asks."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from core.gateway.admin import Admin

_MAIN: Final = r"cluster\.([^.]+\.\d+)(-\d+)?"
"""Where requests go that are no streams, of any port of an activation."""

_CARRIED: Final = rf"^{_MAIN}(\.streams|\.tcp)?\.upstream_(rq_active|rq_pending_active|cx_active)$"
_LATENCY: Final = rf"^{_MAIN}\.upstream_rq_time$"

_SAMPLE: Final = re.compile(
    # Envoy takes the first part of a name for the whole, and puts the rest into the metric's.
    r"^envoy_cluster_(\d+)(?:_\d+)?_upstream_rq_time_(bucket|sum|count)"
    r'\{envoy_cluster_name="([^"]+)"(?:,le="([^"]+)")?\} (\S+)$',
    re.MULTILINE,
)


@dataclass(slots=True)
class Carried:
    """What an activation carries at this moment."""

    requests: int = 0
    """Those that wait for a connection included."""
    streams: int = 0
    """Long ones, and connections that are passed on as they are."""


@dataclass(slots=True)
class Latency:
    """How long an activation took for its answers, streams apart, as of Envoy's last flush.

    Envoy adds to it every 5 s, and the sum is what its buckets let it say.
    """

    buckets: dict[str, int]
    """How many took at most so long, by the bound in milliseconds; `+Inf` is all of them."""
    total_ms: float = 0.0


async def read_carried(admin: Admin) -> dict[str, Carried]:
    """What every activation carries.

    Raises:
        GatewayUnavailable: the gateway does not say.
    """
    found: defaultdict[str, Carried] = defaultdict(Carried)
    for name, value in (await admin.stats(_CARRIED)).items():
        named = re.match(_CARRIED, name)
        assert named is not None
        activation, _, apart, figure = named.groups()
        if apart is None and figure.startswith("rq_"):
            found[activation].requests += value
        elif (apart == ".tcp") is (figure == "cx_active"):
            found[activation].streams += value
    return dict(found)


async def read_latency(admin: Admin) -> dict[str, Latency]:
    """The latency of every activation that has answered anything.

    Raises:
        GatewayUnavailable: the gateway does not say.
    """
    found: dict[str, Latency] = {}
    for each in _SAMPLE.finditer(await admin.exposition(_LATENCY)):
        number, figure, deployment, bound, value = each.groups()
        latency = found.setdefault(f"{deployment}.{number}", Latency({}))
        if figure == "bucket":
            latency.buckets[bound] = latency.buckets.get(bound, 0) + int(value)
        elif figure == "sum":
            latency.total_ms += float(value)
    return found
