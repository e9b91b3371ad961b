"""What the gateway is told: plain data, from which its configuration follows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from core.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.config.settings import Settings
    from core.model import RouteRule

STREAMS_SUFFIX = ".streams"
"""What the name of the cluster that carries an activation's long streams ends in."""


_LONGEST_CHECK_S = 5.0
"""Also for a service that is checked once in five minutes: nobody waits longer for a reply."""


@dataclass(frozen=True, slots=True)
class Check:
    """How the instances of an upstream are looked at while they serve.

    With a path a GET of it must be answered 2xx; without one the port must take a connection.
    """

    path: str | None
    interval_s: float

    @property
    def timeout_s(self) -> float:
        """How long one check may take: it ends before the next one is due."""
        return min(0.9 * self.interval_s, _LONGEST_CHECK_S)


class Cause(StrEnum):
    """Why a health check failed."""

    STATUS = "status"
    """The reply was not a 2xx."""
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    """It was refused, or closed before there was a reply."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Failure:
    """How a health check failed; `status` is that of a reply that was not good."""

    cause: Cause
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Upstream:
    """The instances of one activation; `name` is the activation's and never serves twice."""

    name: str
    addresses: tuple[tuple[str, int], ...]
    check: Check | None = None
    """None: they are never looked at, and all of them get requests."""


@dataclass(frozen=True, slots=True)
class Site:
    """One host name: the service that answers there, its rules, and what is live beside it.

    `live` names the upstream of every service of the environment that has an active deployment.
    """

    host: str
    service: str
    is_public: bool
    rules: tuple[RouteRule, ...]
    live: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where the other services of an environment reach one: an address that never changes.

    `namespace` is the file of the network namespace that the address is in, None that of the
    gateway. Whatever the host that a request names, it goes to `upstream`; None: nothing is there.
    """

    name: str
    address: str
    ports: tuple[int, ...]
    upstream: str | None
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Everything that the gateway serves, over all projects."""

    sites: tuple[Site, ...] = ()
    upstreams: tuple[Upstream, ...] = ()
    entrances: tuple[Entrance, ...] = ()


@dataclass(frozen=True, slots=True)
class InFlight:
    """What an upstream carries at this moment."""

    requests: int
    streams: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """What an upstream has answered since its first request."""

    requests_total: int
    """Streams count when they begin to be answered."""
    errors_total: int
    """How many of them ended in a 5xx, also one that the gateway gave in its place."""
    p95_ms: float | None
    """Of requests, not streams, in the gateway's last interval; None when it had none."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the gateway listens; `host` is the address of the public listener."""

    public: int
    internal: int
    host: str = "127.0.0.1"


DEFAULT_PORTS = Ports(public=8080, internal=8081)
"""Where a gateway listens that was told nothing else."""


def chosen_ports(settings: Settings, kept: Ports | None) -> Ports:
    """Where to listen: as the settings say, else where the gateway did before.

    Raises:
        Conflict: that would be one port for both.
    """
    before = kept or DEFAULT_PORTS
    ports = Ports(
        before.public if settings.port is None else settings.port,
        before.internal if settings.internal_port is None else settings.internal_port,
        settings.host or before.host,
    )
    if ports.public == ports.internal != 0:
        raise Conflict(
            f"port {ports.public} cannot be both the public and the internal one",
            hint="name another one with --internal-port",
        )
    return ports
