"""What the gateway is told: plain data, from which its configuration follows."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from core.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.config.settings import Settings
    from core.model import RouteRule

PUBLIC = "public"
INTERNAL = "internal"
ENTRANCES = "entrances"
"""The ways in: the two listeners for hosts, and all those of entrances."""

STREAMS_SUFFIX = ".streams"
"""What the name of the cluster that carries an activation's long streams ends in."""

PAGES = "pages"
"""The cluster of what the agent itself answers."""

TCP_SUFFIX = ".tcp"
"""What the name of an upstream ends in that gets connections instead of requests."""

UNLIMITED = 1_000_000_000
"""Envoy's circuit breakers open at 1,024 requests by default, and refuse what could be served."""


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
    """One port of the instances of one activation.

    `name` is the activation's for its main port, `<activation>-<port>` for another one, and
    `<activation>-<port>.tcp` for one that takes connections. It never serves twice.
    """

    name: str
    addresses: tuple[tuple[str, int], ...]
    check: Check | None = None
    """None: they are never looked at, and all of them get requests."""

    @property
    def is_tcp(self) -> bool:
        """Whether connections are passed on to it as they are."""
        return self.name.endswith(TCP_SUFFIX)


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who has a login."""

    name: str
    digest: str = field(repr=False)
    """`{SHA}` and the base64 of a SHA-1: of what htpasswd(1) writes, Envoy compares that alone."""


class Encryption(StrEnum):
    """How far the TLS of a domain is."""

    OFF = "off"
    """It has none here."""
    AWAITED = "awaited"
    """It is to have it, and has no certificate yet."""
    ON = "on"


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
    needs_login: frozenset[str] = frozenset()
    """The services of the environment that are for its users only."""
    users: tuple[User, ...] = ()
    encryption: Encryption | None = None
    """Of a domain, which is served to the outside only; None: it is no domain."""


@dataclass(frozen=True, slots=True)
class Door:
    """An address and a port at which an entrance is reached.

    `namespace` is the file of the network namespace that they are in, None that of the gateway.
    """

    name: str
    """Unlike that of any other door."""
    address: str
    port: int
    namespace: str | None = None
    is_published: bool = False
    """Whether who comes through it may be from anywhere, as the address allows."""
    is_new: bool = False
    """Whether it must open: an update fails with it. Others that cannot are left out."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where one port of a service is reached, by doors that never change.

    Whatever the host that a request names, it goes to `upstream`; None: nothing is there. An
    upstream that takes connections gets those of all its doors.
    """

    name: str
    doors: tuple[Door, ...]
    upstream: str | None
    is_tcp: bool = False
    users: tuple[User, ...] | None = None
    """Who alone gets to an upstream of requests; None is everybody."""


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
    """Long ones, and connections that are passed on as they are."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What an upstream has answered since its first request."""

    requests_total: int
    """Streams count when they begin to be answered."""
    errors_total: int
    """How many of them ended in a 5xx, also one that the gateway gave in its place."""
    p95_ms: float | None
    """Of requests, not streams, in the gateway's last interval; None when it had none."""
    by_class: Mapping[str, int] = field(default_factory=dict)
    """How many were answered with a status of each class, such as `2xx`."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the gateway listens; `host` is the address of the public listener and of that for TLS.

    As text they are kept for the gateway after this one.
    """

    public: int
    internal: int
    host: str = "127.0.0.1"
    https: int | None = None
    """None: there is no TLS."""

    @property
    def reached_at(self) -> str:
        """The address at which this machine reaches the public listener, and that for TLS."""
        return "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104

    def __str__(self) -> str:
        https = "" if self.https is None else f" {self.https}"
        return f"{self.public} {self.internal} {self.host}{https}"

    @classmethod
    def read(cls, text: str) -> Ports:
        """Those that were kept; ValueError where a text is none."""
        public, internal, host, *https = text.split(" ")
        return cls(int(public), int(internal), host, int(https[0]) if https else None)


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
        before.https if settings.https_port is None else settings.https_port,
    )
    if ports.public == ports.internal != 0:
        raise Conflict(
            f"port {ports.public} cannot be both the public and the internal one",
            hint="name another one with --internal-port",
        )
    if ports.https and ports.https in (ports.public, ports.internal):
        raise Conflict(
            f"port {ports.https} cannot be both that for TLS and another one",
            hint="name another one with --https-port",
        )
    return ports
