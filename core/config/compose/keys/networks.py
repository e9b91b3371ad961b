"""Networks: how a service is attached to them, and what they are."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, Any

from core.config.compose.keys.places import Wrong
from core.config.compose.keys.scalars import boolean, name, text, whole
from core.config.compose.keys.shapes import (
    Key,
    Keyed,
    keyed_list,
    listed,
    named,
    noted,
    settings,
    texts,
)
from core.config.document import describe, quote

if TYPE_CHECKING:
    from core.config.compose.keys.places import At


def address(value: Any, at: At) -> str:
    """An IP address."""
    found = name(value, at)
    try:
        return str(ip_address(found))
    except ValueError:
        raise Wrong(f"must be an IP address, not {quote(found)}") from None


def _address_v4(value: Any, at: At) -> str:
    found = address(value, at)
    if not isinstance(ip_address(found), IPv4Address):
        raise Wrong(f"must be an IPv4 address, not {quote(found)}", "ipv6_address takes this one")
    return found


def _address_v6(value: Any, at: At) -> str:
    found = address(value, at)
    if not isinstance(ip_address(found), IPv6Address):
        raise Wrong(f"must be an IPv6 address, not {quote(found)}", "ipv4_address takes this one")
    return found


def _subnet(value: Any, at: At) -> str:
    found = name(value, at)
    try:
        ip_network(found, strict=False)
    except ValueError:
        hint = "such as 172.28.0.0/16"
        raise Wrong(f"must be a subnet, not {quote(found)}", hint) from None
    return found


LINK = Keyed(
    {
        "aliases": Key(texts, "further names of the service on this network"),
        "ipv4_address": Key(
            _address_v4, "a fixed address: the old one stops before the new starts"
        ),
        "ipv6_address": Key(
            _address_v6, "a fixed address: the old one stops before the new starts"
        ),
        "link_local_ips": Key(listed(address), "further addresses"),
        "mac_address": Key(name, "the address of its interface"),
        "driver_opts": Key(settings, "options for the driver"),
        "priority": Key(whole(), "which network is attached first"),
        "gw_priority": noted(whole(), "which network leads out is the engine's to say"),
        "interface_name": noted(name, "interfaces are named by the engine"),
    }
)


def _link(value: Any, at: At) -> dict[str, Any] | None:
    return LINK(value, at) or None


links = keyed_list(lambda: None, _link)


def _external(value: Any, at: At) -> bool | dict[str, Any]:
    if isinstance(value, dict):
        return EXTERNAL(value, at)
    return boolean(value, at)


def lift_external(data: dict[str, Any], at: At) -> dict[str, Any]:
    """Return a volume, network, secret or config whose `external: {name: N}` is the new form."""
    inner = data.get("external")
    if isinstance(inner, dict):
        at.note(f"{(at / 'external').label} with a name inside is the old form",
                "write external: true, and name: beside it")  # fmt: skip
        data["external"] = True
        if "name" in inner:
            data.setdefault("name", inner["name"])
            (at / "name").stands_for(at / "external" / "name")
    return data


EXTERNAL = Keyed({"name": Key(name, "its name on the engine: write name: beside external")})
external = Key(_external, "made by somebody else, never made or removed here")

IPAM_POOL = Keyed(
    {
        "subnet": Key(_subnet, "its addresses"),
        "ip_range": Key(_subnet, "the part of them that containers are given"),
        "gateway": Key(address, "the address of the bridge"),
        "aux_addresses": Key(named(address), "addresses that nobody is given"),
    }
)
IPAM = Keyed(
    {
        "driver": Key(name, "who hands out addresses"),
        "config": Key(listed(IPAM_POOL), "the subnets"),
        "options": Key(settings, "options for the driver"),
    }
)
NETWORK = Keyed(
    {
        "name": Key(text, "its name on the engine"),
        "driver": Key(text, "what makes it"),
        "driver_opts": Key(settings, "options for the driver"),
        "ipam": Key(IPAM, "its addresses"),
        "external": external,
        "internal": Key(boolean, "without a way out"),
        "enable_ipv4": noted(boolean, "a network has IPv4 addresses"),
        "enable_ipv6": Key(boolean, "with IPv6 addresses, too"),
        "attachable": Key(boolean, "for swarm; passed on to the engine"),
        "labels": Key(settings, "labels of the network"),
    }
)


def network(value: Any, at: At) -> dict[str, Any]:
    """A network of the file."""
    return lift_external(NETWORK(value, at), at)


def extra_hosts(value: Any, at: At) -> list[str]:
    """Further lines for /etc/hosts, as `NAME=ADDRESS`."""
    if isinstance(value, dict):
        return [
            _host(host, each)
            for host, addresses in value.items()
            for each in texts(addresses, at / host)
        ]
    if not isinstance(value, list):
        raise Wrong(f"must be a list or a mapping, not {describe(value)}", "such as [api=10.0.0.5]")
    found: list[str] = _HOST_LINES(value, at)
    return found


def _host_line(value: Any, at: At) -> str:
    line = text(value, at)
    # An IPv6 address has colons of its own, so that an equals sign is looked for first.
    sign = "=" if "=" in line else ":"
    host, _, rest = line.partition(sign)
    return _host(host.strip(), rest.strip())


def _host(host: str, target: str) -> str:
    bare = target.removeprefix("[").removesuffix("]")
    if host and bare == "host-gateway":
        return f"{host}={bare}"
    try:
        return f"{host}={ip_address(bare)}" if host else _no_host(host, target)
    except ValueError:
        return _no_host(host, target)


def _no_host(host: str, target: str) -> str:
    hint = "such as api=10.0.0.5 or host.docker.internal=host-gateway"
    raise Wrong(f"cannot be {quote(f'{host}={target}')}", hint)


_HOST_LINES = listed(_host_line)
