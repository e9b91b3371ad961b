"""The health check of a service, and what it tells of its ports."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.config.compose.keys.quantities import seconds
from core.container import Healthcheck, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.config.compose.mapping.given import Json

_DISABLED = ("NONE",)
_ITSELF = r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|\[::\])"
_END = r"(?![\w.:$-])"
"""A port that is a variable without a value is none."""
_URL = re.compile(rf"(https?)://{_ITSELF}(?::(\d+))?{_END}(/[^\s\"'`)|;&]*)?")
_REQUEST = re.compile(rf"\b(?:curl|wget)\b.*?[\s\"']{_ITSELF}(?::(\d+))?{_END}(/[^\s\"'`)|;&]*)?")
_GRPC = re.compile(r"\bgrpc[_-]health[_-]probe\b.*?-addr[= ]\S*?:(\d+)")
_CONNECT = re.compile(rf"\bnc\b.*?\s{_ITSELF}\s+(\d+)|/dev/tcp/{_ITSELF}/(\d+)")
_LONGEST = 4096
"""Characters of a check that are looked at."""
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")


@dataclass(frozen=True, slots=True)
class Probed:
    """The port that a health check asks."""

    port: int
    protocol: Protocol
    because: str
    path: str | None = None
    """Of an HTTP request the path, with its query."""


def healthcheck_of(service: Json) -> Healthcheck | None:
    """Return the check of a service; None where the file has none."""
    said = service.get("healthcheck")
    if not said:
        return None
    if said.get("disable") or said.get("test") == ["NONE"]:
        return Healthcheck(_DISABLED)
    times = ("interval", "timeout", "start_period", "start_interval")
    found = {f"{key}_s": seconds(said[key]) for key in times if key in said}
    return Healthcheck(tuple(said.get("test") or ()), retries=said.get("retries"), **found)


def is_checked(check: Healthcheck | None) -> bool:
    """Whether the file itself says how a service is checked."""
    return check is not None and bool(check.test) and check.test != _DISABLED


def probed(check: Healthcheck | None, environment: Mapping[str, str]) -> Probed | None:
    """Return the port that a check asks of the service itself, if it is one that can be read."""
    if check is None or not is_checked(check):
        return None
    line = _VARIABLE.sub(
        lambda found: environment.get(found[1], found[0]), " ".join(check.test)[:_LONGEST]
    )
    if found := _URL.search(line):
        return _request(found[1], found[2], found[3])
    if found := _REQUEST.search(line):
        return _request("http", found[1], found[2])
    if found := _GRPC.search(line):
        return Probed(int(found[1]), Protocol.TCP, "its health check speaks gRPC")
    if found := _CONNECT.search(line):
        return Probed(int(found[1] or found[2]), Protocol.LOOK, "its health check connects to it")
    return None


def _request(scheme: str, port: str | None, path: str | None) -> Probed:
    if scheme == "https":
        number = int(port or 443)
        return Probed(number, Protocol.TCP, "its health check is an HTTPS request: TLS", path)
    because = "its health check is an HTTP request"
    return Probed(int(port or 80), Protocol.HTTP, because, path or "/")
