"""When what the journal keeps was made, became active and ended: history is ordered by that.

A clock may be set back. What happens afterwards is then dated right after all that is known, a
microsecond apart, until the clock has caught up: a rollback goes back to what really was before.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from core.lines import stamp
from core.model import Status

if TYPE_CHECKING:
    from core.records import Deployment, Execution, Run

_NEXT: Final = timedelta(microseconds=1)


class Moments:
    """Dates what is written; each of the latest moments that are known may be empty."""

    def __init__(self, runs: str = "", deployments: str = "", executions: str = "") -> None:
        self._runs = _Latest(runs)
        self._deployments = _Latest(deployments)
        self._executions = _Latest(executions)

    def of_run(self, run: Run, before: Run | None) -> Run:
        """A run with its moments in order; `before` is what is known of it."""
        created_at = before.created_at if before else self._runs.after(run.created_at)
        ended_at = run.completed_at and self._runs.not_before(run.completed_at)
        return run.changed(created_at=created_at, completed_at=ended_at)

    def of_deployment(self, deployment: Deployment, before: Deployment | None) -> Deployment:
        """The same of a deployment; one that comes back from the past has its own already."""
        latest, changed = self._deployments, dict[str, str]()
        if before is not None:
            changed["created_at"] = before.created_at
        elif deployment.status is Status.QUEUED:
            changed["created_at"] = latest.after(deployment.created_at)
        if deployment.activated_at and deployment.is_active and not (before and before.is_active):
            changed["activated_at"] = latest.after(deployment.activated_at)
        if deployment.completed_at and before and not before.status.is_final:
            changed["completed_at"] = latest.not_before(deployment.completed_at)
        return deployment.changed(**changed)

    def of_execution(self, execution: Execution, before: Execution | None) -> Execution:
        """The same of an execution."""
        started_at = before.started_at if before else self._executions.after(execution.started_at)
        ended_at = execution.ended_at and self._executions.not_before(execution.ended_at)
        return execution.changed(started_at=started_at, ended_at=ended_at)


class _Latest:
    """The latest moment of a kind of record."""

    def __init__(self, at: str) -> None:
        self._at = at

    def after(self, at: str) -> str:
        """A moment, or the next one that is later than all before it."""
        if self._at and at <= self._at:
            at = stamp(datetime.fromisoformat(self._at) + _NEXT)
        self._at = at
        return at

    def not_before(self, at: str) -> str:
        """A moment, or the latest one."""
        return max(at, self._at)
