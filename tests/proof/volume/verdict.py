"""Holds what the senders know against what the services have written down."""

from __future__ import annotations

import json
from bisect import bisect_right
from typing import TYPE_CHECKING

from tests.proof.volume.account import UNANSWERED, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.proof.volume.account import Account
    from tests.proof.volume.switches import Switch


def not_exactly_once(accounts: Sequence[Account], access_log: Path) -> int:
    """How many requests no instance, more than one, or another one than replied has served."""
    served = {each.prefix: bytearray(len(each.starts)) for each in accounts}
    by = {each.prefix: each for each in accounts}
    wrong = 0
    for id_, version in _requests(access_log):
        prefix, number = id_.partition("-")[0], number_of(id_)
        served[prefix][number] += 1
        place = by[prefix].answered_by[number]
        wrong += place == UNANSWERED or by[prefix].versions[place] != version
    return wrong + sum(len(row) - row.count(1) for row in served.values())


def _requests(access_log: Path) -> Iterator[tuple[str, str]]:
    """The id of each request that was served, and the version that did."""
    with access_log.open(encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            if event["event"] == "request":
                yield event["id"], event["version"]


def by_the_wrong_version(accounts: Sequence[Account], switches: Sequence[Switch]) -> int:
    """How many requests and streams were answered by a version whose time was over, or not come.

    From its acknowledgement until the next run is asked for, a version answers alone; from then
    until that one's acknowledgement either may.
    """
    times = [at for each in switches for at in (each.asked_at, each.acknowledged_at)]
    # Before the first switch is asked for, the first version answers; it is named by nobody here.
    allowed: list[set[str]] = [set()]
    for number, each in enumerate(switches):
        before = {switches[number - 1].version} if number else set()
        allowed += [before | {each.version}, {each.version}]
    return sum(
        version not in allowed[place]
        for start, version in _replies(accounts)
        if (place := bisect_right(times, start)) > 1
    )


def _replies(accounts: Sequence[Account]) -> Iterator[tuple[float, str]]:
    """When each was asked for that was answered, and which version did."""
    for account in accounts:
        for start, place in zip(account.starts, account.answered_by, strict=True):
            if place != UNANSWERED:
                yield start, account.versions[place]
        for stream in account.streams:
            yield stream.start.monotonic, stream.version
