"""When somebody should do something about a certificate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.certificates.expiry import Expiry, expiry_of

DAY = timedelta(days=1)
NOW = datetime(2026, 4, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    ("life", "left", "expiry"),
    [
        (90 * DAY, 22 * DAY, Expiry.FAR),
        (90 * DAY, 21 * DAY, Expiry.SOON),
        (90 * DAY, DAY / 86_400, Expiry.SOON),
        (90 * DAY, 0 * DAY, Expiry.EXPIRED),
        (90 * DAY, -DAY, Expiry.EXPIRED),
        (8 * DAY, 3 * DAY, Expiry.FAR),
        (8 * DAY, 2 * DAY, Expiry.SOON),
    ],
)
def test_expiry(life: timedelta, left: timedelta, expiry: Expiry) -> None:
    assert expiry_of(NOW + left - life, NOW + left, NOW) is expiry
