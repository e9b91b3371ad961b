"""How deployments are told of in text: after a run, in `status`, and where to open them."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from core.cli.text import NONE, columns
from core.remote.where import server_asked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LOOKUP_TIMEOUT_S = 1.0
_PLAIN_HOSTS = (None, "localhost")
_LOOPBACK_DOMAIN = ".localhost"
"""Names that lead every machine to itself (RFC 6761, 6.3)."""


def result_lines(found: Mapping[str, Any], *, colour: bool) -> list[str]:
    """The deployments of a run that has ended, with what to open."""
    deployments = found["deployments"]
    if not deployments:
        is_done = found["run"]["status"] == "succeeded"
        return ["nothing changed: every service is up to date"] if is_done else []
    places = Places(each["routeUrl"] for each in deployments)
    rows = [
        (
            each["serviceName"],
            each["status"],
            each["promotionStage"],
            each["health"],
            places.of(each["routeUrl"]) if each["isActive"] else NONE,
        )
        for each in deployments
    ]
    return columns([("SERVICE", "STATUS", "STAGE", "HEALTH", "URL"), *rows], colour=colour)


class Places:
    """Where to open services: their URLs, and what to do where such a name does not resolve."""

    def __init__(self, urls: Iterable[str | None]) -> None:
        hosts = [host for host in map(_routed_host, urls) if host]
        self._server = server_asked()
        is_there = self._server is not None and hosts and hosts[0].endswith(_LOOPBACK_DOMAIN)
        # They end in the same domain, so that one answer holds for all of them.
        self._resolves = not hosts or (not is_there and resolves(hosts[0]))

    def of(self, url: str | None) -> str:
        """The URL, with the command that reaches it all the same, on the machine that serves it."""
        if url is None:
            return NONE
        host = _routed_host(url)
        if self._resolves or host is None:
            return url
        where = "" if self._server is None else f"on {self._server}: "
        return f"{url}  {where}curl -H 'Host: {host}' http://127.0.0.1:{urlsplit(url).port or 80}/"


def _routed_host(url: str | None) -> str | None:
    """The name that the gateway tells a service by; none for a port that is all its own."""
    parts = urlsplit(url or "")
    is_ours = parts.scheme == "http" and parts.hostname not in _PLAIN_HOSTS
    return parts.hostname if is_ours and not _is_address(parts.hostname or "") else None


def _is_address(host: str) -> bool:
    with suppress(ValueError):
        return bool(ip_address(host))
    return False


def resolves(host: str) -> bool:
    """Whether a host name leads anywhere; a name server that hangs means no."""
    found: list[object] = []

    def look_up() -> None:
        try:
            found.extend(socket.getaddrinfo(host, None))
        except OSError:
            return

    # A daemon, because a lookup cannot be interrupted and must not hold up the end of the program.
    thread = threading.Thread(target=look_up, daemon=True)
    thread.start()
    thread.join(_LOOKUP_TIMEOUT_S)
    return bool(found)
