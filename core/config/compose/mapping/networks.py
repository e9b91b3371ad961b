"""Which networks a service is attached to, and under which names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.config.compose.mapping.given import part
from core.config.compose.mapping.mounts import explicit_name
from core.container import Network, NetworkLink

if TYPE_CHECKING:
    from core.config.compose.mapping.given import Json

_DEFAULT = "default"
_OF_NETWORK = (
    "driver",
    "driver_opts",
    "ipam",
    "attachable",
    "enable_ipv4",
    "enable_ipv6",
    "labels",
)
_OF_LINK = (
    "ipv4_address", "ipv6_address", "mac_address", "link_local_ips", "driver_opts", "priority",
    "gw_priority", "interface_name",
)  # fmt: skip


def links_of(model: Json, name: str) -> tuple[NetworkLink, ...]:
    """Return the networks of a service, the one with the highest priority first."""
    service = model["services"][name]
    if service.get("network_mode"):
        return ()
    attached = service.get("networks") or {_DEFAULT: None}
    links = [_link(model, name, key, said or {}) for key, said in attached.items()]
    return tuple(sorted(links, key=lambda link: -link.settings.get("priority", 0)))


def has_fixed_address(links: tuple[NetworkLink, ...]) -> bool:
    """Whether the file gives an address that only one container at a time can have."""
    unique = ("ipv4_address", "ipv6_address", "mac_address")
    return any(link.settings.get(key) for link in links for key in unique)


def _link(model: Json, name: str, key: str, said: Json) -> NetworkLink:
    # The name of its container is given at the switch; who waits for it asks for it before.
    given = [own] if (own := model["services"][name].get("container_name")) else []
    linked = _aliases_by_links(model, name, key)
    aliases = dict.fromkeys((*(said.get("aliases") or ()), *linked, *given))
    aliases.pop(name, None)
    settings = {each: said[each] for each in _OF_LINK if said.get(each) is not None}
    return NetworkLink(_network(model, key), tuple(aliases), settings)


def _aliases_by_links(model: Json, name: str, network: str) -> list[str]:
    """The names that `links` of services on the same network give to a service."""
    found = []
    for each in model["services"].values():
        if network in (each.get("networks") or {_DEFAULT: None}):
            for link in each.get("links") or ():
                linked, _, alias = link.partition(":")
                if linked == name and alias:
                    found.append(alias)
    return found


def _network(model: Json, key: str) -> Network:
    described = part(model, "networks", key)
    return Network(
        key,
        explicit_name(model["name"], key, described),
        bool(described.get("external")),
        bool(described.get("internal")),
        {each: described[each] for each in _OF_NETWORK if described.get(each) not in (None, {})},
    )
