"""Events as lines, and how serious they are."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from textual.content import Content

from core.events import EventType
from core.model import ExecutionStatus, Health, Status
from tui.view import words
from tui.view.looks import FAILED, IDLE, RETRYING
from tui.view.moments import moment

if TYPE_CHECKING:
    from tui.view.glyphs import Glyphs

Json = Mapping[str, Any]


class Severity(IntEnum):
    """How much an event asks to be looked at."""

    INFO = 0
    WARNING = 1
    FAILURE = 2


_FAILURES = frozenset({EventType.AUTOMATIC_ROLLBACK, EventType.CERTIFICATE_FAILED})
_WARNINGS = frozenset({
    EventType.WARNING_GIVEN, EventType.GATEWAY_RESTARTED, EventType.STOOD_ASIDE,
    EventType.CERTIFICATE_EXPIRING,
})  # fmt: skip
_NOT_RUN = frozenset({ExecutionStatus.SKIPPED, ExecutionStatus.MISSED})


def severity(event: Json) -> Severity:
    """How serious it is."""
    type_ = event["type"]
    is_cancelled = event.get("failureCode") == "cancelled"
    is_failure = (
        (type_ == EventType.DEPLOYMENT_FAILED and not _is_not_switched(event))
        or (type_ == EventType.RUN_FINISHED and event.get("status") == Status.FAILED)
        or (type_ == EventType.HEALTH_CHANGED and event.get("health") == Health.UNHEALTHY)
        or _execution_status(event) == ExecutionStatus.FAILED
        or type_ in _FAILURES
    )
    if is_failure and not is_cancelled:
        return Severity.FAILURE
    has_cut = event.get("cutRequests") or event.get("requestsCut")
    is_left_out = _execution_status(event) in _NOT_RUN
    is_told = type_ in _WARNINGS or type_ == EventType.DEPLOYMENT_FAILED
    if is_cancelled or has_cut or is_left_out or is_told:
        return Severity.WARNING
    return Severity.INFO


def _execution_status(event: Json) -> str | None:
    """How an execution ended, in an event that tells of one."""
    found: Json = event.get("execution") or {}
    return found.get("status")


def _is_not_switched(event: Json) -> bool:
    return str(event.get("failureMessage") or "").startswith(words.NOT_SWITCHED)


def line(event: Json, glyphs: Glyphs, room: int) -> Content:
    """Time, sign, service and message; `room` is for the service's name."""
    sign, style = {
        Severity.INFO: (" ", ""),
        Severity.WARNING: (glyphs.retrying, RETRYING),
        Severity.FAILURE: (glyphs.failed, FAILED),
    }[severity(event)]
    at = moment(event.get("timestamp"))
    clock = f"{at.astimezone():%H:%M:%S}" if at else "--:--:--"
    width = max(len(glyphs.retrying), len(glyphs.failed))
    service = Content(str(event.get("serviceName") or words.NONE))
    return Content.assemble(
        (f"{clock} ", IDLE),
        (f"{sign:<{width}} ", style),
        service.truncate(room, pad=True).stylize("$log-service"),
        (f"  {glyphs.said(words.reason(event.get('message')))}", style),
    )
