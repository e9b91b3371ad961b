"""Addresses of a server that mean another machine here: how they are opened all the same."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from core.remote.server import Server

_PORTS = {"http": 80, "https": 443}
_FIRST_FREE = 1024
"""Below it, to listen takes a right that a person's ssh may not have."""


def is_loopback(url: str) -> bool:
    """Whether only the machine itself can open it."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def forwarding(url: str, server: str) -> str:
    """What a person types to open it from here, and what to open then."""
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme, 80)
    here = port if port >= _FIRST_FREE else port + 8000
    ssh = Server.parse(server).ssh
    opened = parts._replace(netloc=f"{parts.hostname}:{here}").geturl()
    return (
        f"{url} is open on {server} only\n"
        f"from here: {ssh} -N -L {here}:127.0.0.1:{port}\nthen open {opened}"
    )
