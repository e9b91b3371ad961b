"""What holds half a million requests to account finds each single one that is wrong."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pytest

from tests.load.outcome import Answered, Instant
from tests.load.plan import RequestClass
from tests.proof.volume.account import Account, Tally
from tests.proof.volume.over_time import Second, seconds
from tests.proof.volume.switches import Switch
from tests.proof.volume.verdict import by_the_wrong_version, not_exactly_once

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SWITCHES = (Switch("deploy", "v2", 10.0, 11.0), Switch("deploy", "v3", 20.0, 21.0))


def account(*replies: tuple[float, str | None]) -> Account:
    """What a sender says that sent at these moments; None: it got no reply."""
    tally = Tally("s0")
    for at, version in replies:
        number = tally.send(at, Instant(at, at))
        if version is not None:
            ended = Instant(at + 0.002, at + 0.002)
            taken = Answered(RequestClass.FRESH, number, version, Instant(at, at), ended, 0.002)
            tally.answer(taken)
    return tally.account()


def write(path: Path, served: Iterable[tuple[int, str]]) -> Path:
    lines = [
        {"event": "request", "id": f"s0-{number}", "version": version} for number, version in served
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.mark.parametrize(
    ("served", "wrong"),
    [
        ([(0, "v1"), (1, "v1"), (2, "v2")], 0),
        ([(0, "v1"), (2, "v2")], 1),
        ([(0, "v1"), (1, "v1"), (1, "v1"), (2, "v2")], 1),
        ([(0, "v1"), (1, "v2"), (2, "v2")], 1),
    ],
    ids=["right", "missing", "twice", "another version"],
)
def test_every_request_is_served_once_by_who_replied(
    tmp_path: Path, served: list[tuple[int, str]], wrong: int
) -> None:
    sent = account((1.0, "v1"), (2.0, "v1"), (12.0, "v2"))
    assert not_exactly_once([sent], write(tmp_path / "log", served)) == wrong


def test_a_request_without_a_reply_is_wrong_even_if_it_was_served(tmp_path: Path) -> None:
    sent = account((1.0, "v1"), (2.0, None))
    assert sent.answered == 1
    assert not_exactly_once([sent], write(tmp_path / "log", [(0, "v1"), (1, "v1")])) == 1


@pytest.mark.parametrize(
    ("at", "version", "wrong"),
    [
        (5.0, "v1", 0),
        (10.5, "v1", 0),
        (10.5, "v2", 0),
        (11.5, "v2", 0),
        (11.5, "v1", 1),
        (11.5, "v3", 1),
        (20.5, "v2", 0),
        (20.5, "v3", 0),
        (20.5, "v1", 1),
        (21.5, "v3", 0),
        (21.5, "v2", 1),
    ],
)
def test_a_version_answers_in_its_time(at: float, version: str, wrong: int) -> None:
    assert by_the_wrong_version([account((at, version))], SWITCHES) == wrong


def test_seconds_are_counted_from_the_beginning() -> None:
    sent = account((100.1, "v1"), (100.2, "v1"), (101.5, None), (102.5, "v1"))
    first, second = seconds([sent], 100.0)
    assert (first.at_s, first.per_s, round(first.p99_ms, 3)) == (0, 2, 2.0)
    assert second == Second(1, 1, second.p99_ms)
    assert math.isnan(second.p99_ms)
