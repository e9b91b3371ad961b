from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.aftercare.verdict import Seen, judge
from core.model import AutoRollback
from core.records import Watched

if TYPE_CHECKING:
    from core.aftercare.verdict import Verdict

BOTH = AutoRollback(window_ms=60_000, error_rate=0.05, min_requests=20)
HEALTH = AutoRollback()
ERRORS = AutoRollback(on_unhealthy=False, error_rate=0.05, min_requests=20)
NONE = AutoRollback(on_unhealthy=False, error_rate=0.0, min_requests=1)

UNKNOWN = Watched("2026-01-01T00:01:00.000000Z")
WELL = Watched(UNKNOWN.until, was_unhealthy=False, error_rate_before=0.01)
AS_BAD = Watched(UNKNOWN.until, was_unhealthy=True, error_rate_before=0.5)
ILL = Seen(is_over=False, fault="GET / -> 500")


def errors(count: int, replies: int) -> Seen:
    return Seen(is_over=False, replies=replies, errors=count)


@pytest.mark.parametrize(
    ("rule", "before", "seen", "goes_back"),
    [
        (HEALTH, WELL, ILL, True),
        (HEALTH, UNKNOWN, ILL, True),
        (HEALTH, AS_BAD, ILL, False),
        (ERRORS, WELL, ILL, None),
        (HEALTH, WELL, errors(100, 100), None),
        (ERRORS, WELL, errors(1, 20), None),  # at the limit
        (ERRORS, WELL, errors(2, 20), True),
        (ERRORS, UNKNOWN, errors(2, 20), True),
        (ERRORS, WELL, errors(19, 19), None),  # too few to tell
        (ERRORS, WELL, errors(20, 20), True),
        (ERRORS, AS_BAD, errors(20, 20), False),
        (ERRORS, Watched("", error_rate_before=0.05), errors(2, 20), True),
        (NONE, WELL, errors(0, 0), None),
        (NONE, Watched(""), errors(0, 9), None),
        (NONE, Watched(""), errors(1, 1), True),
        (BOTH, WELL, Seen(False, "down", 100, 100), True),
        (BOTH, WELL, Seen(True, "down", 100, 100), False),
        (BOTH, WELL, Seen(True), False),
        (BOTH, WELL, Seen(False), None),
    ],
)
def test_what_goes_back(
    rule: AutoRollback, before: Watched, seen: Seen, goes_back: bool | None
) -> None:
    verdict = judge(rule, before, seen)
    assert (verdict.goes_back if verdict else None) == goes_back


def test_reasons_come_with_their_figures() -> None:
    found = _verdict(BOTH, WELL, ILL)
    assert found.because == "it is unhealthy: GET / -> 500"
    assert _verdict(BOTH, AS_BAD, ILL).because.endswith("; but what it replaced was, too")
    found = _verdict(BOTH, WELL, errors(3, 32))
    assert found.because == "3 of its 32 replies were 5xx: 9.38 %, and the limit is 5 %"
    assert found.figures == {
        "requests": 32, "errors": 3, "errorRate": 0.0938,
        "errorRateLimit": 0.05, "errorRateBefore": 0.01,
    }  # fmt: skip
    found = _verdict(BOTH, AS_BAD, errors(3, 32))
    assert found.because.endswith("; but of what it replaced 50 % were, too")
    assert _verdict(BOTH, WELL, Seen(True)).because == "the 60 s after its switch are over"


def _verdict(rule: AutoRollback, before: Watched, seen: Seen) -> Verdict:
    found = judge(rule, before, seen)
    assert found is not None
    return found
