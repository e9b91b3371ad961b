"""The networks that an environment needs, with the names that are held on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.engines.base import WantedNetwork

if TYPE_CHECKING:
    from core.promotion.parts import Parts
    from core.records import Target


def networks_of(parts: Parts, target: Target) -> list[WantedNetwork]:
    """All that its services need, those of a run that goes on included."""
    names = sorted(each.service for each in parts.router.hosts.of(target))
    return [WantedNetwork(None, dict.fromkeys(names, ()))]
