from __future__ import annotations

import asyncio
import json

import pytest

from core.promotion.progress import Progress, WaitKind
from core.secrets import Mask


def test_a_wait_is_seen_while_it_lasts() -> None:
    progress = Progress()
    with progress.waits(WaitKind.READINESS, "dep_a", limit_s=30) as waiting:
        waiting.tries = 2
        waiting.recent.extend([None, 503])
        waiting.detail = "GET / -> 503 Service Unavailable"
        found = progress.of("dep_a")
        assert found is waiting
        assert progress.of("dep_b") is None
        told = json.loads(json.dumps(found.as_json()))
    assert told.pop("since").endswith("Z")
    assert told == {
        "kind": "readiness",
        "limitSeconds": 30,
        "detail": "GET / -> 503 Service Unavailable",
        "tries": 2,
        "recent": [None, 503],
        "requests": 0,
        "streams": 0,
    }
    assert progress.of("dep_a") is None


def test_what_a_build_prints_is_told_as_plain_text() -> None:
    with Progress().waits(WaitKind.BUILD, "dep_a") as waiting:
        waiting.detail = "\x1b[31mred\x1b[0m\x1b[2J 10 %\r\x1b]0;title\x0720 % " + "x" * 1000
        told = waiting.as_json()["detail"]
    assert told.startswith("20 % xxx")
    assert len(told) == 300


def test_secrets_are_hidden_before_the_detail_is_cut() -> None:
    with Progress(Mask(["hunter22"])).waits(WaitKind.BUILD, "dep_a") as waiting:
        waiting.detail = "x" * 298 + "hunter22"
        assert waiting.as_json()["detail"] == "x" * 298 + "**"


def test_only_the_newest_replies_are_kept() -> None:
    with Progress().waits(WaitKind.READINESS, "dep_a") as waiting:
        waiting.recent.extend(range(100))
        assert waiting.as_json()["recent"] == list(range(80, 100))


def test_deployments_may_wait_for_the_same_thing() -> None:
    progress = Progress()
    with progress.waits(WaitKind.TURN, "dep_a", "dep_b") as waiting:
        assert progress.of("dep_a") is progress.of("dep_b") is waiting
    assert progress.of("dep_a") is progress.of("dep_b") is None


def test_the_end_of_a_wait_leaves_the_next_one_alone() -> None:
    progress = Progress()
    with progress.waits(WaitKind.TURN, "dep_a"):
        newer = progress.waits(WaitKind.BUILD, "dep_a")
        waiting = newer.__enter__()
    assert progress.of("dep_a") is waiting
    newer.__exit__(None, None, None)
    assert progress.of("dep_a") is None


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError, KeyboardInterrupt])
def test_a_wait_ends_on_every_way_out(error: type[BaseException]) -> None:
    progress = Progress()
    with pytest.raises(error), progress.waits(WaitKind.DRAIN, "dep_a"):
        raise error
    assert progress.of("dep_a") is None
