"""Why something is unhealthy, in words."""

from __future__ import annotations

import pytest

from core.engines.base import Exit, Life
from core.gateway.table import Cause, Check, Failure
from core.health import words

HTTP, TCP = Check("/up", 1.0), Check(None, 1.0)


@pytest.mark.parametrize(
    ("check", "failure", "told"),
    [
        (HTTP, Failure(Cause.STATUS, 500), "GET /up -> 500 Internal Server Error"),
        (HTTP, Failure(Cause.STATUS, 299), "GET /up -> 299"),
        (HTTP, Failure(Cause.TIMEOUT), "does not answer within 0.9 s"),
        (Check(None, 0.1), Failure(Cause.TIMEOUT), "does not answer within 0.09 s"),
        (Check("/up", 60), Failure(Cause.TIMEOUT), "does not answer within 5 s"),
        (TCP, Failure(Cause.CONNECTION), "closes connections without a reply"),
        (TCP, Failure(Cause.UNKNOWN), "failed its last check"),
    ],
)
def test_a_failed_check(check: Check, failure: Failure, told: str) -> None:
    assert words.of_failure(check, failure) == told


@pytest.mark.parametrize(
    ("life", "told"),
    [
        (
            Life(is_up=False, restarts=3, last_exit=Exit(1), pause_s=0.8),
            "exited with code 1, restarted 3 times, next start in 0.8 s",
        ),
        (
            Life(is_up=False, restarts=1, last_exit=Exit(signal=9)),
            "ended by signal 9 (SIGKILL), restarted 1 time",
        ),
        (
            Life(is_up=False, last_exit=Exit(0), pause_s=0.1),
            "exited with code 0, next start in 0.1 s",
        ),
        (Life(restarts=2, pause_s=3), "ended by itself, restarted 2 times"),
    ],
)
def test_an_end(life: Life, told: str) -> None:
    assert words.of_end(life) == told
