"""What the values on the command line may be."""

from __future__ import annotations

import math
import re
from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.remote.server import Server

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_PORTS = range(65_536)
_LIMITS = range(1, 101)
_LABEL_LENGTH = 100
_NAME_LENGTH = 63


def name(text: str) -> str:
    """A project, environment or service."""
    if not (1 <= len(text) <= _NAME_LENGTH and text.isprintable()):
        raise ArgumentTypeError(f"{text!r} is no name: 1 to {_NAME_LENGTH} printable characters")
    return text


def label(text: str) -> str:
    """What a run is called, trimmed."""
    text = text.strip()
    if not (1 <= len(text) <= _LABEL_LENGTH and text.isprintable()):
        message = f"{text!r} is no label: 1 to {_LABEL_LENGTH} printable characters on one line"
        raise ArgumentTypeError(message)
    return text


def seconds(text: str) -> float:
    """A time to wait, in seconds, or with a unit such as `5m`."""
    found = _duration(text)
    try:
        value = float(text) if found is None else found.total_seconds()
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise ArgumentTypeError(f"{text!r} is no time to wait: use seconds, such as 0 or 90")
    return value


def since(text: str) -> datetime:
    """A moment: ISO 8601, UTC unless it says otherwise, or how long ago."""
    try:
        ago = _duration(text)
        if ago is not None:
            return datetime.now(UTC) - ago
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        message = f"{text!r} is no time: use 2026-04-24T10:01:00Z, or how long ago, such as 10m"
        raise ArgumentTypeError(message) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def server(text: str) -> Server:
    """The server whose agent is asked."""
    from core.remote.server import Server

    return Server.parse(text)


def port(text: str) -> int:
    """A TCP port; 0 is any free one."""
    return _within(text, _PORTS, "port")


def limit(text: str) -> int:
    """How many deployments or executions to list."""
    return _within(text, _LIMITS, "limit")


def tail(text: str) -> int:
    """How many lines to show at first."""
    return _within(text, range(1_000_001), "number of lines")


def _within(text: str, allowed: range, what: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) in allowed):
        span = f"{allowed[0]} to {allowed[-1]}"
        raise ArgumentTypeError(f"{text!r} is no {what}: a whole number from {span}")
    return int(text)


def _duration(text: str) -> timedelta | None:
    match = _DURATION.fullmatch(text)
    return timedelta(seconds=float(match[1]) * _SECONDS[match[2]]) if match else None
