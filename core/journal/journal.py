"""The journal: SQLite with a write-ahead log. What is committed here is the truth.

All work is done on one thread of its own, a commit in one call, so that a cancelled await never
leaves a transaction half open and commits keep their order.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from core.errors import JournalError
from core.events import Event
from core.journal.schema import ADAPTERS, SEVERAL_ADDRESSES, TABLES, VERSION, statement
from core.model import Trigger
from core.records import (
    Activation,
    Deployment,
    DomainRecord,
    EnvironmentRecord,
    Execution,
    HostRecord,
    Run,
    Target,
    UserRecord,
    VariableRecord,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from core.journal.schema import Record

T = TypeVar("T")

EVENTS_PAGE = 1000
"""How many events are read at once, so that a long history holds up no commit."""


class Journal:
    """One open journal; only the agent that holds the home's lock may have it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "journal")
        self._connection: sqlite3.Connection | None = None
        self._seq = 0

    async def open(self) -> None:
        """Opens or creates the file.

        Raises:
            JournalError: it is damaged, from a later version, or cannot be written.
        """
        await self._call(self._open)

    def _open(self) -> None:
        self._path.touch(mode=0o600)
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        # A power cut must not take back what was already acted on.
        connection.execute("PRAGMA synchronous = FULL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise JournalError(
                f"the journal {self._path} was written by a later version",
                hint="install that version again, or choose another COMPARTMENT_HOME",
            )
        connection.executescript(TABLES)
        if version == 1:
            connection.executescript(SEVERAL_ADDRESSES)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        (self._seq,) = connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
        self._connection = connection

    async def close(self) -> None:
        """Closes the file; everything committed stays."""
        if self._connection is not None:
            await self._call(self._connection.close)
        self._thread.shutdown()

    async def _call(self, work: Callable[..., T], *arguments: Any) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
        except sqlite3.DatabaseError as error:
            raise JournalError(
                f"the journal {self._path} cannot be used: {error}",
                hint="check that its disk has room and can be written; `compartment doctor` helps",
            ) from error
        except OSError as error:
            raise JournalError(
                f"the journal {self._path} cannot be opened: {error.strerror or error}",
                hint="choose another home folder with COMPARTMENT_HOME",
            ) from error

    async def commit(self, records: Sequence[Record]) -> list[Event]:
        """Writes all records in one transaction; returns the events among them, numbered.

        Raises:
            JournalError: nothing was written.
        """
        return await self._call(self._commit, tuple(records))

    def _commit(self, records: tuple[Record, ...]) -> list[Event]:
        seq = self._seq
        events: list[Event] = []
        statements = []
        for record in records:
            kept = record
            if isinstance(record, Event):
                seq += 1
                kept = replace(record, seq=seq)
                events.append(kept)
            statements.append(statement(kept))
        connection = self._open_connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            for text, values in statements:
                connection.execute(text, values)
            connection.execute("COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._seq = seq
        return events

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise JournalError(f"the journal {self._path} is not open")
        return self._connection

    async def _read(self, kind: type[T], statement: str, *values: Any) -> list[T]:
        def work() -> list[T]:
            adapter = ADAPTERS[kind]
            rows = self._open_connection().execute(statement, values).fetchall()
            return [adapter.validate_json(body) for (body,) in rows]

        return await self._call(work)

    async def current_deployments(self) -> list[Deployment]:
        """What is active, on its way, or still has an instance."""
        return await self._read(
            Deployment,
            "SELECT body FROM deployments WHERE is_active = 1 OR status IN ('queued', 'running')"
            " OR id IN (SELECT substr(name, 1, instr(name, '.') - 1) FROM activations"
            " WHERE state != 'gone')"
            " OR id IN (SELECT deployment_id FROM executions WHERE status = 'running')",
        )

    async def current_activations(self) -> list[Activation]:
        """Every activation that may have an instance."""
        return await self._read(Activation, "SELECT body FROM activations WHERE state != 'gone'")

    async def unfinished_runs(self) -> list[Run]:
        """Runs that an earlier agent left queued or running, oldest first."""
        return await self._read(
            Run,
            "SELECT body FROM runs WHERE status IN ('queued', 'running') ORDER BY created_at",
        )

    async def environments(self) -> list[EnvironmentRecord]:
        """Every environment that was ever deployed and not taken down."""
        return await self._read(EnvironmentRecord, "SELECT body FROM environments")

    async def forget_environment(self, target: Target) -> None:
        """Frees the project's name, so that another folder or engine may take it."""
        await self._call(
            lambda: self._open_connection().execute(
                "DELETE FROM environments WHERE project = ? AND environment = ?",
                (target.project, target.environment),
            )
        )

    async def hosts(self) -> list[HostRecord]:
        """Every host name given out."""
        return await self._read(HostRecord, "SELECT body FROM hosts")

    async def variables(self) -> list[VariableRecord]:
        """Every variable that is set."""
        return await self._read(VariableRecord, "SELECT body FROM variables")

    async def users(self) -> list[UserRecord]:
        """Everybody who may see what is not public."""
        return await self._read(UserRecord, "SELECT body FROM users")

    async def domains(self) -> list[DomainRecord]:
        """Every domain that leads to a service."""
        return await self._read(DomainRecord, "SELECT body FROM domains")

    async def run(self, run_id: str) -> Run | None:
        """One run."""
        found = await self._read(Run, "SELECT body FROM runs WHERE id = ?", run_id)
        return found[0] if found else None

    async def deployment(self, deployment_id: str) -> Deployment | None:
        """One deployment."""
        found = await self._read(
            Deployment, "SELECT body FROM deployments WHERE id = ?", deployment_id
        )
        return found[0] if found else None

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
        return await self._read(
            Deployment,
            "SELECT body FROM deployments WHERE project = ? AND environment = ?"
            " AND (?3 IS NULL OR service = ?3) ORDER BY created_at DESC, id LIMIT ?4",
            target.project,
            target.environment,
            service,
            limit,
        )

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

    async def newest_per_service(self, target: Target) -> list[Deployment]:
        """The newest deployment of each service that an environment ever had, by service.

        One that a rollback has started again is as new as that.
        """
        return await self._read(
            Deployment,
            "SELECT body FROM (SELECT body, service, row_number() OVER"
            " (PARTITION BY service"
            " ORDER BY max(created_at, coalesce(activated_at, '')) DESC, id) AS place"
            " FROM deployments WHERE project = ? AND environment = ?) WHERE place = 1"
            " ORDER BY service",
            target.project,
            target.environment,
        )

    async def succeeded(self, target: Target, service: str) -> list[Deployment]:
        """Deployments of a service that were active once, the last to be so first."""
        return await self._read(
            Deployment,
            "SELECT body FROM deployments WHERE project = ? AND environment = ? AND service = ?"
            " AND activated_at IS NOT NULL AND status IN ('succeeded', 'stopped')"
            " ORDER BY activated_at DESC",
            target.project,
            target.environment,
            service,
        )

    async def earlier_per_service(self, target: Target) -> list[Deployment]:
        """What a rollback would start again by itself, by service."""
        return await self._read(
            Deployment,
            "SELECT body FROM deployments WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER"
            " (PARTITION BY service ORDER BY activated_at DESC) AS place FROM deployments"
            " WHERE project = ? AND environment = ? AND activated_at IS NOT NULL"
            " AND status = 'succeeded' AND is_active = 0"
            " AND json_extract(body, '$.stage') != 'rolled_back') WHERE place = 1)"
            " ORDER BY service",
            target.project,
            target.environment,
        )

    async def running_executions(self) -> list[Execution]:
        """Those that an earlier agent has not seen the end of."""
        return await self._read(
            Execution, "SELECT body FROM executions WHERE status = 'running' ORDER BY started_at"
        )

    async def execution(self, execution_id: str) -> Execution | None:
        """One execution."""
        found = await self._read(
            Execution, "SELECT body FROM executions WHERE id = ?", execution_id
        )
        return found[0] if found else None

    async def newest_executions(
        self, target: Target, service: str | None, limit: int
    ) -> list[Execution]:
        """The newest executions of an environment, newest first."""
        return await self._read(
            Execution,
            "SELECT body FROM executions WHERE project = ?1 AND environment = ?2"
            " AND (?3 IS NULL OR service = ?3) ORDER BY started_at DESC, id LIMIT ?4",
            target.project,
            target.environment,
            service,
            limit,
        )

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

    async def forget_executions(self, target: Target, service: str, keep: int) -> None:
        """Deletes what is known of executions of a service but for the newest."""
        await self._call(
            lambda: self._open_connection().execute(
                "DELETE FROM executions WHERE status != 'running' AND id IN (SELECT id FROM"
                " executions WHERE project = ? AND environment = ? AND service = ?"
                " ORDER BY started_at DESC, id LIMIT -1 OFFSET ?)",
                (target.project, target.environment, service, keep),
            )
        )

    async def services_with_history(self) -> list[tuple[Target, str]]:
        """Every service of every environment that has a deployment."""

        def work() -> list[tuple[Target, str]]:
            rows = self._open_connection().execute(
                "SELECT DISTINCT project, environment, service FROM deployments"
            )
            return [(Target(project, environment), name) for project, environment, name in rows]

        return await self._call(work)

    async def events_after(self, seq: int, run_id: str | None = None) -> list[Event]:
        """The next events after a sequence number, of all runs or of one: a page at most."""
        return await self._read(
            Event,
            "SELECT body FROM events WHERE seq > ?1 AND (?2 IS NULL OR run_id = ?2)"
            " ORDER BY seq LIMIT ?3",
            seq,
            run_id,
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

    @property
    def last_seq(self) -> int:
        """The number of the newest event that is committed."""
        return self._seq

    async def setting(self, name: str) -> str | None:
        """A value kept by `keep_setting`."""

        def work() -> str | None:
            row = (
                self._open_connection()
                .execute("SELECT value FROM settings WHERE name = ?", (name,))
                .fetchone()
            )
            return row[0] if row else None

        return await self._call(work)

    async def keep_setting(self, name: str, value: str) -> None:
        """Keeps a value for the agents after this one."""
        await self._call(
            lambda: self._open_connection().execute(
                "INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value)
            )
        )
