from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.lines import stamp
from core.promotion.renewals import _is_due
from core.records import DomainRecord, Tls
from tests.promotion.records import TARGET

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WAITS = DomainRecord("shop.example", TARGET, "web", Tls.ACME, next_try_at=stamp(NOON))


@pytest.mark.parametrize(
    ("at", "is_due"),
    [
        (NOON, True),
        (NOON + timedelta(days=1), True),
        (NOON - timedelta(seconds=1), False),
        (NOON - timedelta(hours=6), False),
        # No pause is as long as that: the clock was set back.
        (NOON - timedelta(days=1), True),
    ],
)
def test_an_authority_is_asked_again_in_time(at: datetime, is_due: bool) -> None:
    assert _is_due(WAITS, at) == is_due
