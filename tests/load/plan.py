"""What load is put on what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RequestClass(StrEnum):
    """The kinds of client that are at work at once."""

    FRESH = "fresh"
    """Small requests, each on a connection of its own."""
    KEEP_ALIVE = "keep-alive"
    """Small requests on connections that stay open."""
    POST = "post"
    """Large bodies, each on a connection of its own."""
    SSE = "sse"
    WEBSOCKET = "websocket"


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go: an IP address and port to connect to, and the `Host` to ask for."""

    address: str
    port: int
    host: str


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """How much of each class; the default is the load that deploys are proven under."""

    fresh_per_s: float = 150
    keep_alive_per_s: float = 45
    keep_alive_clients: int = 9
    """Among these the keep-alive requests are spread, each with a connection of its own."""
    posts_per_s: float = 5
    post_bytes: int = 1_000_000
    sse_clients: int = 3
    websocket_clients: int = 3
    stream_s: float = 2.0
    """The longest that a stream lasts before its client opens the next one."""
    timeout_s: float = 15.0
    """A request without a whole reply after this long is lost; a stream gets `stream_s` on top."""


NO_LOAD = LoadPlan(
    fresh_per_s=0, keep_alive_per_s=0, posts_per_s=0, sse_clients=0, websocket_clients=0
)
"""Nothing at all: `dataclasses.replace` adds the classes that a test is about."""
