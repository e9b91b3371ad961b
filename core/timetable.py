"""What front ends see of jobs and crons: what ran, what runs, and what is due next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfoNotFoundError

from cronsim import CronSimError

from core.cron import next_time
from core.errors import NotFound
from core.lines import stamp
from core.logs.reader import LogSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.model import Schedule
    from core.promotion.ledger import Ledger
    from core.records import Deployment, Execution, Target

Json = dict[str, Any]


class Timetable:
    """Reads; changes nothing."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._next: dict[Schedule, datetime] = {}
        """Looked up before: who watches asks often."""

    async def execution(self, execution_id: str) -> Execution:
        """One execution.

        Raises:
            NotFound: there is none of that id, or it is too long ago.
        """
        running = self._ledger.executions.get(execution_id)
        found = running or await self._ledger.journal.execution(execution_id)
        if found is None:
            raise NotFound(
                f"no execution {execution_id}",
                hint="the newest hundred of each service are known",
                code="execution_not_found",
            )
        return found

    async def log_source(self, execution_id: str) -> LogSource:
        """Where the output of an execution is.

        Raises:
            NotFound: there is none of that id.
        """
        found = await self.execution(execution_id)
        return LogSource(found.deployment_id, found.service, found.target.environment, found.id)

    def is_over(self, execution_id: str) -> bool:
        """Whether it does not run, or not any more."""
        return execution_id not in self._ledger.executions

    async def executions(self, target: Target, service: str | None, limit: int) -> Json:
        """The newest executions, newest first."""
        found = await self._ledger.journal.newest_executions(target, service, limit)
        return {**_named(target), "executions": [each.as_json() for each in found]}

    async def crons(self, target: Target) -> Json:
        """The active crons of an environment, by service."""
        briefs = await self.briefs(target)
        active = self._ledger.active(target)
        crons = {name: each.service.schedule for name, each in sorted(active.items())}
        return {
            **_named(target),
            "crons": [
                {"serviceName": name, "schedule": schedule_json(schedule), **briefs[name]}
                for name, schedule in crons.items()
                if schedule is not None
            ],
        }

    async def briefs(self, target: Target) -> Json:
        """The last execution and the next of each active job and cron, by service."""
        last = await self._ledger.journal.last_executions(target)
        found = {name: self.brief(each, last) for name, each in self._ledger.active(target).items()}
        return {name: brief for name, brief in found.items() if brief is not None}

    def brief(self, deployment: Deployment, last: Mapping[str, Execution]) -> Json | None:
        """The same of one deployment; None where it is of a service that runs all the time."""
        service = deployment.service
        if service.kind.is_long_running:
            return None
        running = [
            each
            for each in self._ledger.executions.values()
            if (each.target, each.service) == (deployment.target, service.name)
        ]
        # One that was skipped because of what runs is newer, and tells less.
        newest = running[-1] if running else last.get(service.name)
        schedule = service.schedule if deployment.is_active else None
        next_at = self._next_time(schedule) if schedule else None
        return {
            "last": newest.as_json() if newest else None,
            "running": len(running),
            "nextAt": stamp(next_at) if next_at else None,
        }

    def _next_time(self, schedule: Schedule) -> datetime | None:
        now = datetime.now(UTC)
        known = self._next.get(schedule)
        if known is not None and known > now:
            return known
        try:
            found = next_time(schedule, now)
        except (CronSimError, ZoneInfoNotFoundError):
            return None  # the scheduler has said so
        if found is not None:
            self._next[schedule] = found
        return found


def _named(target: Target) -> Json:
    return {"project": target.project, "environment": target.environment}


def schedule_json(schedule: Schedule) -> Json:
    """A schedule under the keys of a project file."""
    return {
        "cron": schedule.cron,
        "timeZone": schedule.time_zone,
        "overlap": schedule.overlap,
        "deadlineMs": schedule.deadline_ms,
    }
