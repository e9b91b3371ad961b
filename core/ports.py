"""Ports: how one is written, and those that are free and stay so.

That is below those that the system gives to outgoing connections.
"""

from __future__ import annotations

import secrets
import socket
from pathlib import Path

from core.errors import CompartmentError

_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_PREFERRED_PORTS = range(20_000, 32_768)
_LOWEST_EPHEMERAL_ELSEWHERE = 49_152
_DIGITS = 5


def read_port(text: str) -> int | None:
    """The port that a text names, as the variable PORT does; None if it names none."""
    is_number = text.isascii() and text.isdigit() and len(text) <= _DIGITS
    return int(text) if is_number and 0 < int(text) < 65_536 else None


def free_port(taken: set[int]) -> int:
    """A port that nothing listens on and that no outgoing connection is given by the system.

    Where the system gives outgoing connections nearly every port, it may still lose one to them.

    Raises:
        CompartmentError: Every such port is taken.
    """
    lowest_ephemeral = _lowest_ephemeral()
    below = [port for port in _PREFERRED_PORTS if port < lowest_ephemeral]
    ports = below or list(_PREFERRED_PORTS)
    start = secrets.randbelow(len(ports))
    for port in (*ports[start:], *ports[:start]):
        if port not in taken and can_bind(port):
            return port
    raise CompartmentError(
        f"no port between {ports[0]} and {ports[-1]} is free",
        hint="stop what listens there, or run fewer services",
    )


def _lowest_ephemeral() -> int:
    try:
        return int(_EPHEMERAL.read_text().split()[0])
    except FileNotFoundError:
        return _LOWEST_EPHEMERAL_ELSEWHERE


def bind(host: str, port: int) -> None:
    """Binds a port for a moment, although connections of before may still wait on it.

    Raises:
        OSError: it is taken, or may not be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def can_bind(port: int, *, again: bool = False) -> bool:
    """Whether a service could listen there, at 127.0.0.1 or at every address.

    `again` is for who takes a port back that connections of before still wait on, as Envoy does.
    """
    with socket.socket() as candidate:
        if again:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind(("", port))
        except OSError:
            return False
    return True
