"""The variables that are set for environments and services."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.promotion.ledger import Ledger
    from core.records import Target, Variable


def resolve(ledger: Ledger, target: Target, service: str) -> dict[str, Variable]:
    """What a deployment of a service gets that is queued now, by name.

    What is set for the service is preferred to what is set for its environment.
    """
    known = [each for each in ledger.variables.values() if each.target == target]
    return {
        each.name: each.variable
        for scope in (None, service)
        for each in known
        if each.service == scope
    }


def differing(before: Mapping[str, Variable], now: Mapping[str, Variable]) -> list[str]:
    """The names of what was added, removed or given another value, sorted."""
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
