"""Which addresses a network has, and which of them are given out. Pure, but for the host's routes.

A network's subnet is cut in two: fixed addresses are given out by us, in a circle; what is attached
without one, such as a shell that somebody starts, gets one from the range at its end. An engine
itself would hand out the address of an instance that is down for a moment.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.errors import CompartmentError, UsageError

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

SUBNETS: Final = "COMPARTMENT_SUBNETS"
"""The setting: ranges, with commas between them, that networks take their subnets from."""

_DEFAULT_RANGES: Final = "10.201.0.0/16,198.18.0.0/16"
"""Neither Docker's own (172.17 to 172.31, 192.168) nor what home and office networks use.

The second, which is set aside for benchmarks, is for where a VPN takes all of 10.0.0.0/8.
"""

_PREFIX: Final = 24
_DYNAMIC: Final = 27
_SMALLEST_CUT: Final = 26
"""A network that is smaller has no range at its end: all of it is ours to give out."""

_MOST_FIXED: Final = 4096
"""More than containers fit on a bridge, which has 1024 ports (`BR_MAX_PORTS` of Linux)."""

_ROUTES: Final = Path("/proc/net/route")

_SHORTEST_ROUTE: Final = 8
"""Shorter ones stand for the default route: a VPN that takes all has one for each half."""


@dataclass(frozen=True, slots=True)
class Subnet:
    """The addresses of one network."""

    range: IPv4Network
    gateway: IPv4Address
    dynamic: IPv4Network | None
    """Where the engine takes addresses from; None: from all of them."""
    auxiliary: Mapping[str, str] = field(default_factory=dict)
    """What else has an address on it, such as a router: `aux_addresses` of a Compose file."""

    @classmethod
    def of(cls, subnet: IPv4Network) -> Subnet:
        """A subnet as we cut it."""
        return cls(subnet, subnet[1], _cut(subnet))

    @classmethod
    def asked(cls, config: Mapping[str, Any]) -> Subnet:
        """A subnet as a Compose file asks for it; what it leaves open is as we cut it."""
        subnet = IPv4Network(config["subnet"], strict=False)
        gateway, dynamic = config.get("gateway"), config.get("ip_range")
        return cls(
            subnet,
            IPv4Address(gateway) if gateway else subnet[1],
            IPv4Network(dynamic, strict=False) if dynamic else _cut(subnet),
            config.get("aux_addresses") or {},
        )

    @classmethod
    def read(cls, config: Mapping[str, Any]) -> Subnet:
        """The subnet of a network that is there, as the engine describes it."""
        subnet = IPv4Network(config["Subnet"])
        gateway = config.get("Gateway", "").partition("/")[0]
        dynamic = IPv4Network(config.get("IPRange") or subnet)
        return cls(
            subnet,
            IPv4Address(gateway) if gateway else subnet[1],
            dynamic if dynamic != subnet else None,
            config.get("AuxiliaryAddresses") or {},
        )

    @property
    def config(self) -> dict[str, Any]:
        """What the engine is asked for."""
        asked = {
            "Subnet": str(self.range),
            "Gateway": str(self.gateway),
            "IPRange": str(self.dynamic or self.range),
        }
        return {**asked, "AuxiliaryAddresses": dict(self.auxiliary)} if self.auxiliary else asked

    @property
    def fixed(self) -> list[str]:
        """The addresses that can be given out; of a very large network the first of them."""
        free = (
            str(address)
            for address in self.range.hosts()
            if not (self.dynamic and address in self.dynamic)
        )
        return [each for each in islice(free, _MOST_FIXED) if self.has(each)]

    def has(self, address: str) -> bool:
        """Whether a container can have an address."""
        try:
            given = IPv4Address(address)
        except ValueError:
            return False
        ends = (self.range.network_address, self.range.broadcast_address, self.gateway)
        is_free = given not in ends and address not in list(self.auxiliary.values())
        return is_free and given in self.range


def _cut(subnet: IPv4Network) -> IPv4Network | None:
    """The range at the end of a subnet that the engine gives addresses of."""
    if subnet.prefixlen > _SMALLEST_CUT:
        return None
    size = 2 ** (subnet.max_prefixlen - _DYNAMIC)
    return IPv4Network((int(subnet.broadcast_address) + 1 - size, _DYNAMIC))


class Addresses:
    """The fixed addresses of one network, given out in a circle.

    One that was used a moment ago comes last, because something may still remember it.
    """

    def __init__(self, subnet: Subnet) -> None:
        self._subnet = subnet
        self._next: int | None = None

    @cached_property
    def _fixed(self) -> list[str]:
        return self._subnet.fixed

    def take(self, used: Container[str]) -> str | None:
        """The next one that is not used; None if all are."""
        if self._next is None:
            # An agent before this one has given out addresses up to here.
            self._next = 1 + max(
                (i for i, each in enumerate(self._fixed) if each in used), default=-1
            )
        for i in range(self._next, self._next + len(self._fixed)):
            address = self._fixed[i % len(self._fixed)]
            if address not in used:
                self._next = i + 1
                return address
        return None


def ranges(environ: Mapping[str, str]) -> list[IPv4Network]:
    """What networks take their subnets from.

    Raises:
        UsageError: the setting cannot be read.
    """
    found = []
    for text in (environ.get(SUBNETS) or _DEFAULT_RANGES).split(","):
        try:
            found.append(IPv4Network(text.strip()))
        except ValueError as error:
            raise _unreadable(text.strip(), str(error)) from None
        if found[-1].prefixlen > _PREFIX:
            raise _unreadable(text.strip(), f"a network needs a /{_PREFIX} of its own")
    return found


def _unreadable(text: str, why: str) -> UsageError:
    return UsageError(
        f"{SUBNETS} has `{text}`: {why}",
        hint=f"write ranges as {_DEFAULT_RANGES}, with commas between them, and restart the agent",
    )


def free(within: Iterable[IPv4Network], taken: Iterable[IPv4Network], key: str) -> Iterator[Subnet]:
    """The subnets that overlap nothing that is taken, beginning at a place that the key decides.

    So an environment gets the same one again where it can, and two agents seldom want the same.

    Raises:
        CompartmentError: at the end, when none of them would do.
    """
    ranges, blocked = list(within), list(taken)
    for each in ranges:
        every = list(each.subnets(new_prefix=_PREFIX))
        first = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % len(every)
        for subnet in (*every[first:], *every[:first]):
            if not any(subnet.overlaps(other) for other in blocked):
                yield Subnet.of(subnet)
    raise CompartmentError(
        f"no subnet is left for a network: all of {', '.join(map(str, ranges))}"
        " is used by other networks or by routes of this machine",
        hint=f"set {SUBNETS} to a range that nothing uses, and restart the agent",
    )


def of_networks(networks: Iterable[Mapping[str, Any]]) -> Iterator[IPv4Network]:
    """The subnets of an engine's networks."""
    for network in networks:
        for config in (network.get("IPAM") or {}).get("Config") or ():
            subnet = config.get("Subnet", "")
            if subnet and ":" not in subnet:
                yield IPv4Network(subnet, strict=False)


def of_host(routes: Path = _ROUTES) -> Iterator[IPv4Network]:
    """Where this machine has routes to, but for the default one. None where it does not say."""
    try:
        lines = routes.read_text().splitlines()[1:]
    except OSError:
        return
    for line in lines:
        destination, mask = (_address(line.split()[column]) for column in (1, 7))
        route = IPv4Network(f"{destination}/{mask}")
        if route.prefixlen >= _SHORTEST_ROUTE:
            yield route


def _address(reversed_hex: str) -> IPv4Address:
    return IPv4Address(bytes.fromhex(reversed_hex)[::-1])
