"""How an instance is on networks: at which addresses, and under which names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.container import NetworkLink

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Joining:
    """What an instance asks of its networks."""

    service_name: str
    links: tuple[NetworkLink, ...] = ()
    """Empty: it is on the network that all services of a `compartment.yml` share."""
    taken: Collection[str] = ()
    """Addresses that must not be given out."""
    wanted: str | None = None
    """The address that it must have where this machine reaches it."""
    is_sticky: bool = False
    """Whether it should have the addresses that the service had before: its name leads there."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """How an instance is attached to one network."""

    network: str
    network_id: str
    address: str
    """Empty where the engine gives it one."""
    aliases: tuple[str, ...]
    is_reachable: bool = True
    """Whether this machine reaches what is on the network."""
    settings: Json = field(default_factory=dict)
    """Those of the link, as Compose spells them."""

    @property
    def endpoint(self) -> Json:
        """What the engine is asked for."""
        address = {
            "IPv4Address": self.address,
            "IPv6Address": self.settings.get("ipv6_address"),
            "LinkLocalIPs": self.settings.get("link_local_ips"),
        }
        asked = {
            "IPAMConfig": {name: value for name, value in address.items() if value},
            "Aliases": list(self.aliases),
            "DriverOpts": self.settings.get("driver_opts"),
            "MacAddress": self.settings.get("mac_address"),
        }
        return {name: value for name, value in asked.items() if value or name == "Aliases"}
