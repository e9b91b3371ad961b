"""What became of a request.

Times are taken on two clocks: `monotonic` orders them against what a test did itself, `wall`
against the log of another process.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.load.plan import RequestClass


class LossKind(StrEnum):
    """In which way a request was lost."""

    CONNECT_ERROR = "connect error"
    RESET = "reset"
    """Reset at any time, or closed before the head of the reply was there."""
    STATUS = "status"
    """A whole reply, but not a good one."""
    SHORT_BODY = "short body"
    WRONG_DIGEST = "wrong digest"
    """The server got another body than was sent."""
    WRONG_REPLY = "wrong reply"
    """Not HTTP, or the reply to something else, or from something else than the lab."""
    TIMEOUT = "timeout"


class RequestLost(Exception):
    """A request got no good reply."""

    def __init__(self, kind: LossKind, detail: str, status: int | None = None) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail
        self.status = status


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment on both clocks, in seconds."""

    monotonic: float = field(default_factory=time.monotonic)
    wall: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that got its whole, right reply.

    `latency_s` counts from when the request was due, so that a wait inside this process shows too.
    """

    request_class: RequestClass
    id: str
    version: str
    start: Instant
    end: Instant
    latency_s: float


@dataclass(frozen=True, slots=True)
class Loss:
    """A request that got no good reply, or a stream that could not be opened."""

    request_class: RequestClass
    id: str
    kind: LossKind
    start: Instant
    end: Instant
    status: int | None
    detail: str

    def __str__(self) -> str:
        after_ms = (self.end.monotonic - self.start.monotonic) * 1000
        status = f" {self.status}" if self.status else ""
        what = f"{self.request_class} {self.id}: {self.kind}{status}"
        return f"{what} after {after_ms:.0f} ms: {self.detail}"


class StreamEnd(StrEnum):
    """How a stream that had been opened ended."""

    COMPLETED = "completed"
    """It lasted as long as was asked for."""
    CLOSED = "closed"
    """The server ended it earlier, in the way that its protocol has for that."""
    CUT = "cut"
    """It just broke off."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream that had been opened, from its request to its end."""

    request_class: RequestClass
    version: str
    start: Instant
    end: Instant
    how: StreamEnd
    detail: str
