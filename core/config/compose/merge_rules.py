"""What is special about merging each key; whatever is not named here merges by its shape.

The table follows the chapter "Merge" of the Compose specification and its reference
implementation, in terms of the canonical form.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from core.config.document import KeyPath

Shape = tuple[str, ...]
"""A path with "*" for each name that people choose."""

_NAMED_WITHIN = frozenset({"networks", "ulimits"})
"""Keys of a service whose own keys are names."""


def shape(path: KeyPath) -> Shape:
    """Return a path without the names in it."""
    parts = [str(part) for part in path]
    if len(parts) > 1:
        parts[1] = "*"
    if len(parts) > 3 and parts[2] in _NAMED_WITHIN:
        parts[3] = "*"
    return tuple(parts)


REPLACED: frozenset[Shape] = frozenset(
    {
        ("services", "*", "command"),
        ("services", "*", "entrypoint"),
        ("services", "*", "healthcheck", "test"),
        ("services", "*", "ulimits", "*"),
    }
)
"""Never merged: what comes last takes the place of what was there, also where it is null."""

VARIABLES: frozenset[Shape] = frozenset(
    {
        ("services", "*", "environment"),
        ("services", "*", "labels"),
        ("services", "*", "annotations"),
        ("services", "*", "sysctls"),
        ("services", "*", "build", "args"),
        ("services", "*", "build", "labels"),
        ("services", "*", "deploy", "labels"),
    }
)
"""Mappings in which a null says something, and so replaces what was there."""

LOGGING: Shape = ("services", "*", "logging")
"""Merged only where the driver is the same, or one file does not name it."""

IPAM_CONFIG: Shape = ("networks", "*", "ipam", "config")
"""A list of mappings of which those with the same subnet are merged."""


def _value(item: Any) -> Hashable:
    return repr(item) if isinstance(item, dict | list) else item


def _before_equals(item: Any) -> Hashable:
    return str(item).partition("=")[0]


def _of(key: str) -> Callable[[Any], Hashable]:
    def of(item: Any) -> Hashable:
        return str(item.get(key)) if isinstance(item, dict) else str(item)

    return of


def _port(item: Any) -> Hashable:
    address = item.get("host_ip") or "0.0.0.0"  # noqa: S104 - what an absent one stands for
    protocol = item.get("protocol") or "tcp"
    return address, str(item.get("target")), str(item.get("published") or ""), protocol


def _mounted_in(folder: str) -> Callable[[Any], Hashable]:
    return lambda item: item.get("target") or f"{folder}/{item.get('source')}"


UNIQUE: Mapping[Shape, Callable[[Any], Hashable]] = {
    ("services", "*", "ports"): _port,
    ("services", "*", "volumes"): _of("target"),
    ("services", "*", "devices"): _of("target"),
    ("services", "*", "secrets"): _mounted_in("/run/secrets"),
    ("services", "*", "configs"): _mounted_in(""),
    ("services", "*", "env_file"): _of("path"),
    ("services", "*", "label_file"): _of("path"),
    ("services", "*", "expose"): str,
    ("services", "*", "cap_add"): _value,
    ("services", "*", "cap_drop"): _value,
    ("services", "*", "dns"): _before_equals,
    ("services", "*", "dns_opt"): _before_equals,
    ("services", "*", "dns_search"): _before_equals,
    ("services", "*", "extra_hosts"): _value,
    ("services", "*", "links"): _value,
    ("services", "*", "profiles"): _value,
    ("services", "*", "tmpfs"): _before_equals,
    ("services", "*", "networks", "*", "aliases"): _value,
    ("services", "*", "networks", "*", "link_local_ips"): _value,
    ("services", "*", "build", "tags"): _value,
    ("services", "*", "build", "platforms"): _value,
    ("services", "*", "build", "extra_hosts"): _value,
}
"""Lists whose items are told apart: of two alike the last one stays, at the place of the first."""
