"""How near the end of a certificate is."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

_SOON: Final = timedelta(days=21)
_SOON_PART: Final = 4
"""Of a short life the last quarter is soon: one of six days would always be, else."""


class Expiry(StrEnum):
    """Whether somebody should do something about it."""

    FAR = "far"
    SOON = "soon"
    """It should have been renewed by now."""
    EXPIRED = "expired"
    """Clients refuse it."""


def expiry_of(valid_from: datetime, valid_until: datetime, now: datetime) -> Expiry:
    """How near it is: soon is 21 days before the end, or a quarter of the life if that is less."""
    if now >= valid_until:
        return Expiry.EXPIRED
    life = valid_until - valid_from
    return Expiry.SOON if now >= valid_until - min(_SOON, life / _SOON_PART) else Expiry.FAR
