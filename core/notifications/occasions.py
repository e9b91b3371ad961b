"""What of all that happens one may be told of. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core.events import EventType
from core.model import Health, Status
from core.promotion.run import CANCELLED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from core.config.notifications import Occasion
    from core.events import Event


@dataclass(frozen=True, slots=True)
class _Rule:
    occasion: Occasion
    type: EventType
    is_met: Callable[[Event], bool] = lambda _: True


_RULES: Final = (
    _Rule("run.succeeded", EventType.RUN_FINISHED, lambda event: status(event) == Status.SUCCEEDED),
    _Rule("run.failed", EventType.RUN_FINISHED, lambda event: status(event) == Status.FAILED),
    _Rule("run.finished", EventType.RUN_FINISHED),
    _Rule("rollback.automatic", EventType.AUTOMATIC_ROLLBACK),
    _Rule(
        "health.unhealthy", EventType.HEALTH_CHANGED,
        lambda event: status(event) == Health.UNHEALTHY,
    ),
    _Rule(
        "health.healthy", EventType.HEALTH_CHANGED, lambda event: status(event) == Health.HEALTHY
    ),
    _Rule("certificate.failed", EventType.CERTIFICATE_FAILED),
    _Rule("certificate.expiring", EventType.CERTIFICATE_EXPIRING),
)  # fmt: skip
"""An event is told once, under the first of these that is asked for: the narrow ones first."""


def status(event: Event) -> str:
    """What has become of what an event tells of; empty where that is no question."""
    if event.type is EventType.RUN_FINISHED and event.data.get("failureCode") == CANCELLED:
        return CANCELLED
    return str(event.data.get("status") or event.data.get("health") or "")


def occasion_of(event: Event, wanted: Collection[str]) -> str | None:
    """Which of the occasions that are wanted an event is; None: none of them."""
    for rule in _RULES:
        if rule.occasion in wanted and rule.type is event.type and rule.is_met(event):
            return rule.occasion
    return None
