"""Which listeners Envoy can really have: one that it cannot would cost an update all the others."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from core.gateway.resources import INTERNAL, PUBLIC
from core.ports import can_bind

if TYPE_CHECKING:
    from core.gateway.resources import Json

_log = logging.getLogger(__name__)


def usable(wanted: list[Json], before: list[Json]) -> list[Json]:
    """The listeners without those in a network that has ended, or on a port of somebody else.

    `before` is what Envoy listens on already.
    """
    has = [each["address"] for each in before]
    return [
        each for each in wanted if _has_network(each) and (each["address"] in has or _is_free(each))
    ]


def _has_network(listener: Json) -> bool:
    namespace = _namespace(listener)
    return namespace is None or Path(namespace).exists()


def _is_free(listener: Json) -> bool:
    address = listener["address"].get("socket_address")
    # The two that a person has chosen are checked, and refused, where they are chosen.
    if address is None or listener["name"] in (PUBLIC, INTERNAL):
        return True
    if _namespace(listener) is not None or can_bind(address["port_value"], again=True):
        return True
    _log.warning(
        "port %s, where %s is reached by other services, is taken by another program",
        address["port_value"],
        listener["name"],
    )
    return False


def _namespace(listener: Json) -> str | None:
    found: str | None = (
        listener["address"].get("socket_address", {}).get("network_namespace_filepath")
    )
    return found
