"""The load second by second."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.proof.volume.account import Account

P99 = 0.99


@dataclass(frozen=True, slots=True)
class Second:
    """What was sent in one second: how much, and how long 99 of 100 replies took at most."""

    at_s: float
    per_s: int
    p99_ms: float


def seconds(accounts: Sequence[Account], began: float) -> list[Second]:
    """All whole seconds in which something was sent, counted from the beginning."""
    found: dict[int, list[float]] = {}
    for account in accounts:
        for start, latency_s in zip(account.starts, account.latencies_s, strict=True):
            found.setdefault(math.floor(start - began), []).append(latency_s)
    # The last one is not whole.
    return [Second(at, len(found[at]), _p99_ms(found[at])) for at in sorted(found)[:-1] if at >= 0]


def p99_ms(accounts: Sequence[Account]) -> float:
    """Of all replies."""
    return _p99_ms([each for account in accounts for each in account.latencies_s])


def _p99_ms(latencies_s: list[float]) -> float:
    ordered = sorted(each for each in latencies_s if not math.isnan(each))
    return ordered[math.ceil(P99 * len(ordered)) - 1] * 1000 if ordered else math.nan
