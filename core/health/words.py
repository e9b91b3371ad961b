"""Why something is unhealthy, in words for people. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from core.gateway.table import Cause
from core.promotion.probes import replied

if TYPE_CHECKING:
    from core.engines.base import Life
    from core.gateway.table import Check, Failure
    from core.promotion.probes import Tried


NO_ANSWER: Final = "does not answer"


def of_failure(check: Check, failure: Failure) -> str:
    """A health check of the gateway that failed."""
    if failure.cause is Cause.STATUS and failure.status is not None:
        return of_try(check, replied(failure.status))
    if failure.cause is Cause.TIMEOUT:
        return f"{NO_ANSWER} within {check.timeout_s:g} s"
    if failure.cause is Cause.CONNECTION:
        return "closes connections without a reply"
    return "failed its last check"


def of_try(check: Check, tried: Tried) -> str:
    """A try of ours that failed as well."""
    return f"GET {check.path} -> {tried}" if tried.status is not None else str(tried)


def of_end(life: Life) -> str:
    """An instance that is down, or was just now."""
    parts = [str(life.last_exit) if life.last_exit else "ended by itself"]
    if life.restarts:
        parts.append(f"restarted {life.restarts} time{'s' if life.restarts > 1 else ''}")
    if not life.is_up and life.pause_s is not None:
        parts.append(f"next start in {life.pause_s:g} s")
    return ", ".join(parts)
