"""How a state looks: glyph, word and colour, in that order of trust."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.model import ExecutionStatus, Health, Stage, Status, Trigger
from tui.view import execution_words, words
from tui.view.watched import left

if TYPE_CHECKING:
    from datetime import datetime

    from tui.view.execution import Execution
    from tui.view.glyphs import Glyphs
    from tui.view.state import Deployment, Run, Service, Waiting

HEALTHY = "$state-healthy"
WORKING = "$state-working"
RETRYING = "bold $state-warning"
FAILED = "bold $state-failed"
ROLLBACK = "bold $state-rollback"
IDLE = "$state-idle"
UNKNOWN = "italic $state-idle"


@dataclass(frozen=True, slots=True)
class Look:
    """One state as it is shown."""

    glyph: str
    word: str
    style: str


def stage_look(service: Service, run: Run | None, now: datetime, glyphs: Glyphs) -> Look:
    """How far the newest deployment of a service is, or where it failed."""
    found = newest(service, run)
    waiting = service.waiting
    if service.live is None and waiting is not None and waiting.kind == "drain":
        return Look(glyphs.working, f"draining {_passed(waiting.since, now)}", WORKING)
    if found is None:
        word = "stopped" if service.previous else "not deployed"
        return Look(glyphs.stopped, word, IDLE)
    if not found.status.is_final:
        return _moving(found, waiting, run, now, glyphs)
    if found.status is Status.FAILED:
        if is_not_switched(found):
            return Look(glyphs.stopped, "not switched", IDLE)
        return Look(glyphs.failed, f"failed: {words.STAGES[found.stage]}", FAILED)
    if service.executions is not None and found is service.live:
        last = service.executions.last
        word = execution_words.short(service.executions, now)
        look = execution_look(last, glyphs) if last else Look(glyphs.stopped, word, IDLE)
        return Look(look.glyph, word, IDLE if look.style == HEALTHY else look.style)
    if found.restarts:
        return Look(glyphs.retrying, words.counted(found.restarts, "restart"), RETRYING)
    if found.watched_until is not None:
        return Look(glyphs.healthy, f"watched, {left(found, now)}", IDLE)
    if run is not None and run.trigger is Trigger.ROLLBACK and found.id in run.deployment_ids:
        return Look(glyphs.rolled_back, words.STAGES[found.stage], ROLLBACK)
    return Look(glyphs.healthy, words.STAGES[found.stage], IDLE)


def newest(service: Service, run: Run | None) -> Deployment | None:
    """The deployment that a person means.

    One that was given up because of another service is past when its run is.
    """
    found = service.current
    if found is not None and found is service.failed and is_not_switched(found):
        is_news = run is not None and (found.id in run.deployment_ids or found.run_id == run.id)
        return found if is_news else service.live
    return found


def marked(look: Look, glyphs: Glyphs) -> str:
    """The word; with its sign where the word alone would not tell it from a usual one."""
    is_back = look.glyph == glyphs.rolled_back and look.word == words.STAGES[Stage.ACTIVE]
    return f"{look.word} {look.glyph}" if is_back else look.word


def is_not_switched(deployment: Deployment) -> bool:
    """Whether it was given up because of another service, or by a person."""
    return (deployment.failure_message or "").startswith(words.NOT_SWITCHED)


def _moving(
    found: Deployment, waiting: Waiting | None, run: Run | None, now: datetime, glyphs: Glyphs
) -> Look:
    if found.status is Status.QUEUED:
        return Look(glyphs.queued, _QUEUED_FOR.get(waiting.kind if waiting else "", "queued"), IDLE)
    is_back = run is not None and run.trigger is Trigger.ROLLBACK
    glyph, style = (glyphs.rolled_back, ROLLBACK) if is_back else (glyphs.working, WORKING)
    if waiting is None:
        passed = f" {_passed(found.stage_since, now)}" if found.stage_since else ""
        return Look(glyph, f"{words.STAGES[found.stage]}{passed}", style)
    if waiting.kind in _WAITING:
        return Look(glyph, _WAITING[waiting.kind], style)
    if waiting.kind in _QUEUED_FOR:
        return Look(glyphs.queued, _QUEUED_FOR[waiting.kind], IDLE)
    if waiting.kind == "readiness" and waiting.tries > 1:
        glyph, style = glyphs.retrying, RETRYING
    passed = _passed(waiting.since or found.stage_since, now)
    word = _BUSY_WITH.get(waiting.kind, words.STAGES[found.stage])
    return Look(glyph, f"{word} {passed}", style)


_WAITING = {"barrier": "ready, waits", "hold": "held"}
_BUSY_WITH = {"release": "release", "job": "runs"}
_QUEUED_FOR = {"turn": "queued", "buildSlot": "waits for slot", "dependency": "waits"}


def _passed(since: datetime | None, now: datetime) -> str:
    return words.counting(words.seconds(since, now))


def health_look(service: Service, glyphs: Glyphs) -> Look:
    """How what serves is doing; what fails wins over what is on its way."""
    found = service.live or service.candidate or service.failed
    if found is None:
        return Look(glyphs.stopped, words.NONE, IDLE)
    if service.executions is not None and found is service.live:
        last = service.executions.last
        return execution_look(last, glyphs) if last else Look(glyphs.stopped, words.NONE, IDLE)
    counts = found.replicas_desired > 1
    many = f" {found.replicas_ready}/{found.replicas_desired}" if counts else ""
    if words.stands_aside(found):
        return Look(glyphs.stopped, "aside", RETRYING)
    word = words.HEALTH[found.health] + many
    if found.health is Health.HEALTHY:
        if counts and found.replicas_ready < found.replicas_desired:
            return Look(glyphs.retrying, word, RETRYING)
        return Look(glyphs.healthy, word, HEALTHY)
    if found.health is Health.PENDING:
        return Look(glyphs.working, word, WORKING)
    if not found.is_active and is_not_switched(found):
        return Look(glyphs.stopped, words.NONE, IDLE)
    return Look(glyphs.failed, word, FAILED)


def execution_look(found: Execution, glyphs: Glyphs) -> Look:
    """How one execution of a job or cron is, or ended."""
    glyph, style = {
        ExecutionStatus.RUNNING: (glyphs.working, WORKING),
        ExecutionStatus.SUCCEEDED: (glyphs.healthy, HEALTHY),
        ExecutionStatus.FAILED: (glyphs.failed, FAILED),
        ExecutionStatus.CANCELLED: (glyphs.stopped, IDLE),
        ExecutionStatus.SKIPPED: (glyphs.retrying, RETRYING),
        ExecutionStatus.MISSED: (glyphs.retrying, RETRYING),
    }[found.status]
    return Look(glyph, str(found.status), style)


def service_look(service: Service, run: Run | None, now: datetime, glyphs: Glyphs) -> Look:
    """The one sign for a service: what a run does to it, else how it is."""
    if service.current is None or service.current is not service.live or service.is_moving:
        return stage_look(service, run, now, glyphs)
    return health_look(service, glyphs)


def needs_attention(service: Service) -> int:
    """A rank to sort by: failed, moving, unhealthy, then everything else."""
    if service.failed is not None and service.candidate is None:
        return 2 if is_not_switched(service.failed) else 0
    if service.is_moving:
        return 1
    if service.live is not None and service.live.health is Health.UNHEALTHY:
        return 2
    return 3
