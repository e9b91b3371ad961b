"""The private engine's own bridge, which clashes with nothing on this machine."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from tests.engine import firewall
from tests.engine.machine import run
from tests.engine.place import NoEngine

NAME = "compartment0"

_ROUTES = Path("/proc/net/route")
_CANDIDATES = [IPv4Network(f"10.{number}.0.0/24") for number in range(249, 239, -1)]


def add() -> None:
    """Makes the bridge."""
    remove()
    network = free_network(routes(_ROUTES.read_text()))
    run("ip", "link", "add", "name", NAME, "type", "bridge")
    run("ip", "address", "add", f"{network[1]}/{network.prefixlen}", "dev", NAME)
    run("ip", "link", "set", NAME, "up")


def remove() -> None:
    """Removes the bridge and the firewall rules that name it, which an engine leaves behind."""
    if not Path("/sys/class/net", NAME).exists():
        return
    firewall.remove(NAME)
    run("ip", "link", "delete", NAME)


def free_network(taken: list[IPv4Network]) -> IPv4Network:
    """The first candidate that no route leads to."""
    for candidate in _CANDIDATES:
        if not any(candidate.overlaps(other) for other in taken):
            return candidate
    raise NoEngine(f"no network is free among {_CANDIDATES[-1]} to {_CANDIDATES[0]}")


def routes(table: str) -> list[IPv4Network]:
    """The networks of the kernel's routing table, without the default route."""
    found = []
    for line in table.splitlines()[1:]:
        fields = line.split()
        address, mask = (int.from_bytes(bytes.fromhex(fields[n])[::-1]) for n in (1, 7))
        if mask:
            found.append(IPv4Network((int(IPv4Address(address)), mask.bit_count())))
    return found
