"""Which events are told of, under which name."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from core.config.notifications import Occasion
from core.events import Event, EventType
from core.notifications.occasions import occasion_of, status

ALL = get_args(Occasion)
SUCCEEDED = {"status": "succeeded", "failureCode": None}
FAILED = {"status": "failed", "failureCode": "run_failed"}
CANCELLED = {"status": "failed", "failureCode": "cancelled"}

CASES: list[tuple[EventType, dict[str, Any], str | None, str]] = [
    (EventType.RUN_FINISHED, SUCCEEDED, "run.succeeded", "succeeded"),
    (EventType.RUN_FINISHED, FAILED, "run.failed", "failed"),
    (EventType.RUN_FINISHED, CANCELLED, "run.finished", "cancelled"),
    (EventType.AUTOMATIC_ROLLBACK, {}, "rollback.automatic", ""),
    (EventType.HEALTH_CHANGED, {"health": "unhealthy"}, "health.unhealthy", "unhealthy"),
    (EventType.HEALTH_CHANGED, {"health": "healthy"}, "health.healthy", "healthy"),
    (EventType.CERTIFICATE_FAILED, {}, "certificate.failed", ""),
    (EventType.CERTIFICATE_EXPIRING, {}, "certificate.expiring", ""),
    (EventType.WARNING_GIVEN, {}, None, ""),
    (EventType.STAGE_CHANGED, {"status": "succeeded"}, None, "succeeded"),
]


def event(type_: EventType, data: dict[str, Any]) -> Event:
    return Event(type_, "2026-01-01T00:00:00.000000Z", "", data=data)


@pytest.mark.parametrize(("type_", "data", "occasion", "what"), CASES)
def test_which_one(type_: EventType, data: Any, occasion: str | None, what: str) -> None:
    assert occasion_of(event(type_, data), ALL) == occasion
    assert status(event(type_, data)) == what


def test_every_occasion_is_of_some_event() -> None:
    assert {occasion for _, _, occasion, _ in CASES} == {*ALL, None}


@pytest.mark.parametrize(
    ("wanted", "data", "expected"),
    [
        ("run.finished", FAILED, "run.finished"),
        ("run.failed", SUCCEEDED, None),
        ("run.failed", CANCELLED, None),
        ("run.succeeded", SUCCEEDED, "run.succeeded"),
        ("health.unhealthy", FAILED, None),
    ],
)
def test_only_what_is_wanted(wanted: str, data: Any, expected: str | None) -> None:
    assert occasion_of(event(EventType.RUN_FINISHED, data), [wanted]) == expected
