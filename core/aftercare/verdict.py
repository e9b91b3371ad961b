"""Whether a deployment stays, from what its service demands and what was seen of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.model import AutoRollback
    from core.records import Watched


@dataclass(frozen=True, slots=True)
class Seen:
    """A watched deployment as it is now."""

    is_over: bool
    """Whether its time is."""
    fault: str | None = None
    """Why it is unhealthy; None as long as nobody is sure that it is."""
    replies: int = 0
    errors: int = 0
    """How many of them were 5xx."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is decided, which ends the watching either way."""

    goes_back: bool
    because: str
    figures: dict[str, object] = field(default_factory=dict)
    """What was measured, and its limit, under the keys of front ends."""


def judge(rule: AutoRollback, watched: Watched, seen: Seen) -> Verdict | None:
    """Decides; None: it is watched on.

    Where what it replaced was as bad, going back would mend nothing: then it stays.
    """
    if seen.is_over:
        over = f"the {rule.window_ms / 1000:g} s after its switch are over"
        return Verdict(goes_back=False, because=over)
    return _of_health(rule, watched, seen) or _of_errors(rule, watched, seen)


def _of_health(rule: AutoRollback, watched: Watched, seen: Seen) -> Verdict | None:
    if not rule.on_unhealthy or seen.fault is None:
        return None
    because = f"it is unhealthy: {seen.fault}"
    if watched.was_unhealthy:
        because = f"{because}; but what it replaced was, too"
    return Verdict(not watched.was_unhealthy, because, {"healthReason": seen.fault})


def _of_errors(rule: AutoRollback, watched: Watched, seen: Seen) -> Verdict | None:
    limit, before = rule.error_rate, watched.error_rate_before
    if limit is None or seen.replies < rule.min_requests or not seen.replies:
        return None
    rate = seen.errors / seen.replies
    if rate <= limit:
        return None
    figures: dict[str, object] = {
        "requests": seen.replies,
        "errors": seen.errors,
        "errorRate": round(rate, 4),
        "errorRateLimit": limit,
        "errorRateBefore": before,
    }
    because = (
        f"{seen.errors} of its {seen.replies} replies were 5xx: {_percent(rate)},"
        f" and the limit is {_percent(limit)}"
    )
    if before is None or before <= limit:
        return Verdict(goes_back=True, because=because, figures=figures)
    because = f"{because}; but of what it replaced {_percent(before)} were, too"
    return Verdict(goes_back=False, because=because, figures=figures)


def _percent(rate: float) -> str:
    return f"{100 * rate:.3g} %"
