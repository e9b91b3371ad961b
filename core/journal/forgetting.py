"""Deleting the past from the journal, a few runs at a time, so that no commit waits for long."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core.journal.database import Database
from core.journal.services import NAMES

if TYPE_CHECKING:
    from collections.abc import Collection

    from core.records import Target

RUNS_AT_ONCE: Final = 20
"""Deleted in one transaction, of some milliseconds."""

_PAGES_AT_ONCE: Final = 256
"""Given back to the disk after it: a mebibyte."""

_HELD = f"""{NAMES}, held(id) AS (
    SELECT id FROM deployments WHERE is_active = 1
    UNION SELECT id FROM deployments WHERE status IN ('queued', 'running')
    UNION SELECT substr(name, 1, instr(name, '.') - 1) FROM activations WHERE state != 'gone'
    UNION SELECT deployment_id FROM executions WHERE status = 'running'
    UNION SELECT id FROM names CROSS JOIN deployments ON deployments.rowid IN (
        SELECT rowid FROM deployments
        WHERE project = ?1 AND environment = ?2 AND service = name
            AND activated_at IS NOT NULL AND status = 'succeeded'
        ORDER BY json_extract(body, '$.stage') = 'rolled_back', activated_at DESC LIMIT ?3)
    UNION SELECT id FROM names CROSS JOIN deployments ON deployments.rowid IN (
        SELECT rowid FROM deployments
        WHERE project = ?1 AND environment = ?2 AND service = name
        ORDER BY created_at DESC LIMIT 1))
"""  # noqa: S608 - ours
"""What is live or on its way, what a service can go back to, and the newest of each service."""

_COUNT = "SELECT count(*) FROM runs WHERE project = ? AND environment = ?"

_OLD_RUNS = f"""{_HELD}
SELECT id FROM runs
WHERE project = ?1 AND environment = ?2 AND status NOT IN ('queued', 'running')
    AND created_at < (SELECT created_at FROM runs WHERE project = ?1 AND environment = ?2
        ORDER BY created_at DESC LIMIT 1 OFFSET ?4)
    AND NOT EXISTS (SELECT 1 FROM deployments
        WHERE run_id = runs.id AND deployments.id IN (SELECT id FROM held))
ORDER BY created_at LIMIT ?5
"""  # noqa: S608 - ours

_UNKEPT_LOGS = f"""{_HELD}
SELECT value FROM json_each(?5) LEFT JOIN deployments ON deployments.id = value
WHERE deployments.id IS NULL
    OR project = ?1 AND environment = ?2
    AND deployments.id NOT IN (SELECT id FROM held)
    AND run_id NOT IN (SELECT id FROM runs WHERE project = ?1 AND environment = ?2
        ORDER BY created_at DESC LIMIT ?4)
"""  # noqa: S608 - ours

_DELETIONS = (
    # A name is that of its deployment, a point and a number; what follows a point is a slash.
    "DELETE FROM activations WHERE name IN (SELECT name FROM deployments CROSS JOIN activations"
    " ON name > id || '.' AND name < id || '/' WHERE run_id = ?)",
    "DELETE FROM events WHERE run_id = ?",
    "DELETE FROM deployments WHERE run_id = ?",
    "DELETE FROM runs WHERE id = ?",
)

_LOOSE_EVENTS = """
DELETE FROM events WHERE run_id IS NULL AND seq <= (
    SELECT seq FROM events WHERE run_id IS NULL ORDER BY seq DESC LIMIT 1 OFFSET ?)
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """How much of the past of each environment is kept at least.

    Whatever the numbers, what is live, on its way or can be rolled back to stays.
    """

    runs: int
    """The newest, with their deployments and events."""
    logs: int
    """Of how many of the newest runs."""
    releases: int
    """To how many earlier deployments each service can go back."""


class Forgetting(Database):
    """What is deleted is over: nobody asks for it but who looks at the past."""

    async def counters(self) -> str | None:
        """What `keep_counters` has kept last."""

        def work() -> str | None:
            row = self._open_connection().execute("SELECT body FROM counters").fetchone()
            return row[0] if row else None

        return await self._call(work)

    async def keep_counters(self, body: str) -> None:
        """Keeps what was counted of events that are about to be deleted."""
        await self._call(
            self._change,
            [("DELETE FROM counters", [()]), ("INSERT INTO counters VALUES (?)", [(body,)])],
        )

    async def runs_of(self, target: Target) -> int:
        """How many runs of an environment are known."""

        def work() -> int:
            named = (target.project, target.environment)
            (count,) = self._open_connection().execute(_COUNT, named).fetchone()
            return int(count)

        return await self._call(work)

    async def forget_runs(self, target: Target, kept: Kept) -> int:
        """Deletes some of the oldest runs that need not be kept; returns how many.

        Their deployments and events go with them. There may be more of them.
        """

        def work() -> int:
            values = (target.project, target.environment, kept.releases, kept.runs - 1)
            connection = self._open_connection()
            old = connection.execute(_OLD_RUNS, (*values, RUNS_AT_ONCE)).fetchall()
            self._change([(each, old) for each in _DELETIONS])
            return len(old)

        return await self._call(work)

    async def forget_loose_events(self, keep: int) -> None:
        """Deletes the oldest events of no run, such as that a service turned unhealthy."""
        await self._call(self._change, [(_LOOSE_EVENTS, [(keep,)])])

    def _change(self, work: list[tuple[str, list[tuple[object, ...]]]]) -> None:
        with self._transaction() as connection:
            for statement, rows in work:
                connection.executemany(statement, rows)
        # Not `execute`, which would end it after its first page.
        connection.executescript(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})")

    async def unkept_logs(self, target: Target, kept: Kept, found: Collection[str]) -> list[str]:
        """Of deployments of which there are logs, those whose logs need not be kept.

        Those that the journal does not know are among them; of other environments none is.
        """

        def work() -> list[str]:
            values = (target.project, target.environment, kept.releases, kept.logs)
            rows = self._open_connection().execute(
                _UNKEPT_LOGS, (*values, json.dumps(sorted(found)))
            )
            return [id_ for (id_,) in rows]

        return await self._call(work)
