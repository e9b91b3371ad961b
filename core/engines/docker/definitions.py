"""What an engine is asked for a network that a Compose file describes. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from core.container import Network as Definition
from core.engines.docker.subnets import Subnet
from core.model import DEFAULT_ENVIRONMENT

if TYPE_CHECKING:
    from core.records import Target

Json = dict[str, Any]

SHARED = Definition("")
"""What all services of a `compartment.yml` are on."""

BRIDGE = "bridge"
OUR_IPAM = "default"
"""What gives out addresses where no plugin does."""
_FORBIDDEN = re.compile(r"[^a-zA-Z0-9_.]+")


def name_of(home: str, target: Target, definition: Definition = SHARED) -> str:
    """The name that a network is made with; people read it, but nothing is found by it.

    One that the file names has that name in production; every other environment needs its own.
    """
    if definition.name is not None:
        return _own_name(definition.name, target.environment)
    named, parts = f"{home}/{target}", [target.project, target.environment]
    if definition.key:
        named, parts = f"{named}\0{definition.key}", [*parts, definition.key]
    return f"compartment-{_readable('-'.join(parts))}-{_digest(named)}"


def _own_name(name: str, environment: str) -> str:
    if environment == DEFAULT_ENVIRONMENT:
        return name
    readable = _readable(environment)
    # Environments that are spelled alike are told apart.
    suffix = readable if readable == environment else f"{readable}-{_digest(environment)}"
    return f"{name}-{suffix}"


def _readable(text: str) -> str:
    return _FORBIDDEN.sub("-", text)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def digest_of(definition: Definition) -> str:
    """Tells whether a network is as this definition describes it, but for its labels."""
    settings = {name: each for name, each in definition.settings.items() if name != "labels"}
    return _digest(json.dumps(asdict(replace(definition, settings=settings)), sort_keys=True))


def subnet_of(definition: Definition) -> Subnet | None:
    """The subnet that the file asks for, if it does."""
    for config in _configs(definition):
        if _is_ipv4(config):
            return Subnet.asked(config)
    return None


def is_ours_to_divide(definition: Definition) -> bool:
    """Whether its addresses can be given out here: no plugin does that instead."""
    return _ipam(definition).get("driver") in (None, "", OUR_IPAM)


def body_of(definition: Definition, subnet: Subnet | None) -> Json:
    """What a network is made of, but for its name and our labels."""
    settings, ipam = definition.settings, _ipam(definition)
    first = next(filter(_is_ipv4, _configs(definition)), None)
    others = [_spelled(each) for each in _configs(definition) if each is not first]
    if subnet is None and first is not None:
        others = [_spelled(first), *others]
    return {
        "Driver": settings.get("driver") or BRIDGE,
        "Options": {
            name: str(value) for name, value in (settings.get("driver_opts") or {}).items()
        },
        "Internal": definition.is_internal,
        "Attachable": bool(settings.get("attachable")),
        "EnableIPv6": bool(settings.get("enable_ipv6")),
        "IPAM": {
            "Driver": ipam.get("driver") or OUR_IPAM,
            "Options": ipam.get("options") or {},
            "Config": [subnet.config, *others] if subnet else others,
        },
        "Labels": dict(settings.get("labels") or {}),
    }


def _ipam(definition: Definition) -> Json:
    return definition.settings.get("ipam") or {}


def _configs(definition: Definition) -> list[Json]:
    return [each for each in _ipam(definition).get("config") or () if each.get("subnet")]


def _is_ipv4(config: Json) -> bool:
    return ":" not in config["subnet"]


def _spelled(config: Json) -> Json:
    """A subnet in the engine's words."""
    asked = {
        "Subnet": config["subnet"],
        "Gateway": config.get("gateway"),
        "IPRange": config.get("ip_range"),
        "AuxiliaryAddresses": config.get("aux_addresses"),
    }
    return {name: value for name, value in asked.items() if value}
