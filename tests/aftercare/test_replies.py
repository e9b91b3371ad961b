from __future__ import annotations

from core.aftercare.replies import Replies
from core.gateway.table import Traffic


def traffic(requests: int, errors: int) -> Traffic:
    return Traffic(requests, errors, None)


def test_they_are_counted_since_the_switch() -> None:
    replies = Replies()
    assert replies.of("dep_a", None) == (0, 0)
    assert replies.of("dep_a", traffic(10, 2)) == (10, 2)
    assert replies.of("dep_a", traffic(30, 3)) == (30, 3)


def test_what_came_while_an_engine_was_away_does_not_count() -> None:
    replies = Replies()
    replies.of("dep_a", traffic(10, 2))
    replies.begin_anew()
    assert replies.of("dep_a", traffic(10, 2)) == (0, 0)
    assert replies.of("dep_a", traffic(15, 3)) == (5, 1)
    # The gateway was started again, and counts from zero.
    assert replies.of("dep_a", traffic(4, 1)) == (4, 1)
    replies.keep_only(set())
    assert replies.of("dep_a", traffic(15, 3)) == (15, 3)
