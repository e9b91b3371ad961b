"""What the journal says of the past, newest first: runs, deployments, executions, events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from core.events import Event
from core.journal.database import Database
from core.model import Trigger
from core.records import Deployment, Execution, Run, Target

if TYPE_CHECKING:
    from collections.abc import Sequence

EVENTS_PAGE = 1000
"""How many events are read at once, so that a long history holds up no commit."""

# One statement for both would go through everything: an index is chosen before values are known.

_DEPLOYMENTS = """
SELECT body FROM deployments WHERE project = ? AND environment = ?
ORDER BY created_at DESC, id LIMIT ?
"""
_DEPLOYMENTS_OF_SERVICE = """
SELECT body FROM deployments WHERE project = ? AND environment = ? AND service = ?
ORDER BY created_at DESC, id LIMIT ?
"""
_EXECUTIONS = """
SELECT body FROM executions WHERE project = ? AND environment = ?
ORDER BY started_at DESC, id LIMIT ?
"""
_EXECUTIONS_OF_SERVICE = """
SELECT body FROM executions WHERE project = ? AND environment = ? AND service = ?
ORDER BY started_at DESC, id LIMIT ?
"""


class Past(Database):
    """Questions about what is over."""

    async def deployments_of(self, run: Run) -> list[Deployment]:
        """The deployments that a run made or started again, by service."""
        places = ", ".join("?" * len(run.deployment_ids))
        return await self._read(
            Deployment,
            f"SELECT body FROM deployments WHERE id IN ({places}) ORDER BY service",  # noqa: S608 - marks only
            *run.deployment_ids,
        )

    async def history(self, target: Target, service: str | None, limit: int) -> list[Deployment]:
        """The newest deployments of an environment, newest first."""
        statement = _DEPLOYMENTS if service is None else _DEPLOYMENTS_OF_SERVICE
        return await self._read(Deployment, statement, *_named(target, service), limit)

    async def newest_runs(self, target: Target, limit: int) -> list[Run]:
        """The newest runs of an environment, newest first."""
        return await self._read(
            Run,
            "SELECT body FROM runs WHERE project = ? AND environment = ?"
            " ORDER BY created_at DESC, id LIMIT ?",
            target.project,
            target.environment,
            limit,
        )

    async def runs_and_rollbacks(
        self, target: Target, run_ids: Sequence[str], since: str, limit: int
    ) -> list[Run]:
        """Some runs, with the newest rollbacks since a time, newest first."""
        return await self._read(
            Run,
            "SELECT body FROM runs WHERE id IN (SELECT value FROM json_each(?1)) OR id IN"
            " (SELECT id FROM runs WHERE project = ?2 AND environment = ?3 AND created_at >= ?4"
            " AND json_extract(body, '$.trigger') = ?5 ORDER BY created_at DESC LIMIT ?6)"
            " ORDER BY created_at DESC, id",
            json.dumps(run_ids),
            target.project,
            target.environment,
            since,
            Trigger.ROLLBACK,
            limit,
        )

    async def runs_like(self, target: Target, trigger: Trigger, limit: int) -> list[Run]:
        """The newest runs of a trigger that succeeded and had something to do, newest first."""
        return await self._read(
            Run,
            "SELECT body FROM runs WHERE project = ? AND environment = ? AND status = 'succeeded'"
            " AND json_extract(body, '$.trigger') = ?"
            " AND json_array_length(body, '$.deployment_ids') > 0"
            " ORDER BY created_at DESC LIMIT ?",
            target.project,
            target.environment,
            trigger,
            limit,
        )

    async def service_names(self, deployment_ids: Sequence[str]) -> dict[str, str]:
        """The services of deployments."""

        def work() -> dict[str, str]:
            rows = self._open_connection().execute(
                "SELECT id, service FROM deployments WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(deployment_ids),),
            )
            return dict(rows.fetchall())

        return await self._call(work)

    async def newest_executions(
        self, target: Target, service: str | None, limit: int
    ) -> list[Execution]:
        """The newest executions of an environment, newest first."""
        statement = _EXECUTIONS if service is None else _EXECUTIONS_OF_SERVICE
        return await self._read(Execution, statement, *_named(target, service), limit)

    async def last_executions(self, target: Target) -> dict[str, Execution]:
        """The newest execution of each service of an environment."""
        found = await self._read(
            Execution,
            "SELECT body FROM (SELECT body, row_number() OVER"
            " (PARTITION BY service ORDER BY started_at DESC, id) AS place FROM executions"
            " WHERE project = ? AND environment = ?) WHERE place = 1",
            target.project,
            target.environment,
        )
        return {each.service: each for each in found}

    async def last_scheduled(self, target: Target, service: str) -> Execution | None:
        """The newest execution of a service that its schedule has asked for."""
        found = await self._read(
            Execution,
            "SELECT body FROM executions WHERE project = ? AND environment = ? AND service = ?"
            " AND json_extract(body, '$.trigger') = 'schedule' ORDER BY started_at DESC LIMIT 1",
            target.project,
            target.environment,
            service,
        )
        return found[0] if found else None

    async def events_after(self, seq: int, run_id: str | None = None) -> list[Event]:
        """The next events after a sequence number, of all runs or of one: a page at most."""
        if run_id is None:
            statement = "SELECT body FROM events WHERE seq > ? ORDER BY seq LIMIT ?"
            return await self._read(Event, statement, seq, EVENTS_PAGE)
        return await self._read(
            Event,
            "SELECT body FROM events WHERE run_id = ? AND seq > ? ORDER BY seq LIMIT ?",
            run_id,
            seq,
            EVENTS_PAGE,
        )

    async def newest_events(self, target: Target, limit: int) -> list[Event]:
        """The newest events of an environment, and of what all have in common, oldest first."""
        of_one = (
            "SELECT seq, body FROM events WHERE json_extract(body, '$.project') IS ?"
            " AND json_extract(body, '$.environment') IS ? ORDER BY seq DESC LIMIT ?"
        )
        found = await self._read(
            Event,
            f"SELECT body FROM (SELECT * FROM ({of_one}) UNION ALL SELECT * FROM ({of_one}))"  # noqa: S608 - marks only
            " ORDER BY seq DESC LIMIT ?",
            *(target.project, target.environment, limit),
            *(None, None, limit),
            limit,
        )
        return found[::-1]


def _named(target: Target, service: str | None) -> tuple[str, ...]:
    named = (target.project, target.environment)
    return named if service is None else (*named, service)
