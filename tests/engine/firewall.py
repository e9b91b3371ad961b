"""The firewall rules of this machine's engines.

An engine that starts empties the chains that all engines share. What stood there for another one,
such as what keeps its networks apart, is put back.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from tests.engine.machine import run

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

Rule = tuple[str, ...]
"""Its table, its chain, and what `iptables` takes behind these."""

_TABLES = ("nat", "filter")


def rules() -> list[Rule]:
    """All rules, chain by chain in their order."""
    return [
        (table, chain, *rest)
        for table in _TABLES
        for word, chain, *rest in map(shlex.split, _iptables(table, "-S").splitlines())
        if word == "-A"
    ]


def put_back(before: Iterable[Rule], ours: Collection[str]) -> None:
    """Adds those rules that are gone, apart from those that name an interface of ours."""
    left = set(rules())
    gone = [rule for rule in before if rule not in left and not _names(rule, ours)]
    # Each goes to the top of its chain, because the last one often ends it.
    for table, chain, *rest in reversed(gone):
        _iptables(table, "-I", chain, *rest)


def remove(interface: str) -> None:
    """Removes the rules that name an interface."""
    for rule in rules():
        if _names(rule, [interface]):
            table, chain, *rest = rule
            _iptables(table, "-D", chain, *rest)


def _names(rule: Rule, interfaces: Collection[str]) -> bool:
    return any(word in interfaces for word in rule)


def _iptables(table: str, *arguments: str) -> str:
    return run("iptables", "--wait", "-t", table, *arguments)
