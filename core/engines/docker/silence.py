"""Why nothing answers at the address of an instance: where it listens instead."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Final

_LISTENS: Final = "0A"
_LOCAL, _STATE = 1, 3
_WORD_DIGITS: Final = 8
_IPV4_DIGITS: Final = 8

Listener = tuple[IPv4Address | IPv6Address, int]


async def explain(pid: int, container_id: str, port: int) -> str | None:
    """A guess from the sockets that a container listens on; None where they cannot be seen."""
    found = await asyncio.to_thread(_listeners, pid, container_id)
    if found is None:
        return None
    if not found:
        return f"it listens on no port yet: listen on 0.0.0.0:{port}, or $PORT"
    at_port = [address for address, at in found if at == port]
    if at_port and all(address.is_loopback for address in at_port):
        return f"it listens on {at_port[0]}:{port} only: listen on 0.0.0.0:{port}, or $PORT"
    if not at_port:
        ports = ", ".join(str(at) for at in sorted({at for _, at in found}))
        return f"it listens on port {ports}, not on {port}: listen on $PORT, or set PORT to it"
    return None


def _listeners(pid: int, container_id: str) -> list[Listener] | None:
    """Where anything listens in the network of a process; None if it is not in the container."""
    try:
        if container_id not in Path(f"/proc/{pid}/cgroup").read_text():
            return None
        tables = [Path(f"/proc/{pid}/net/{name}").read_text() for name in ("tcp", "tcp6")]
    except OSError:
        return None
    rows = [row.split() for table in tables for row in table.splitlines()[1:]]
    found = [_address(row[_LOCAL]) for row in rows if row[_STATE] == _LISTENS]
    # Docker's own server of names listens at 127.0.0.11 in each container.
    return [each for each in found if each[0] != IPv4Address("127.0.0.11")]


def _address(text: str) -> Listener:
    """An address as the kernel prints it: words of the machine's byte order, then the port."""
    digits, _, port = text.partition(":")
    words = [digits[at : at + _WORD_DIGITS] for at in range(0, len(digits), _WORD_DIGITS)]
    packed = b"".join(bytes.fromhex(word)[::-1] for word in words)
    kind = IPv4Address if len(digits) == _IPV4_DIGITS else IPv6Address
    return kind(packed), int(port, 16)
