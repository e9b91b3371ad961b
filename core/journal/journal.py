"""The journal: SQLite with a write-ahead log. What is committed here is the truth."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import JournalError
from core.events import Event
from core.journal.forgetting import Forgetting
from core.journal.past import Past
from core.journal.present import Present
from core.journal.schema import SEVERAL_ADDRESSES, TABLES, VERSION, statement
from core.journal.services import Services
from core.journal.traced import traced

if TYPE_CHECKING:
    from collections.abc import Sequence, Set
    from pathlib import Path

    from core.journal.schema import Record
    from core.journal.traced import Traced
    from core.records import Target


class Journal(Present, Services, Past, Forgetting):
    """One open journal; only the agent that holds the home's lock may have it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._seq = 0
        self.settings: dict[str, str] = {}
        """All that `keep_setting` has kept."""

    async def open(self) -> None:
        """Opens or creates the file.

        Raises:
            JournalError: it is damaged, from a later version, or cannot be written.
        """
        await self._call(self._open)

    def _open(self) -> None:
        self._path.touch(mode=0o600)
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        # Only of a new file: what is forgotten later is given back to the disk.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
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
        self.settings = dict(connection.execute("SELECT name, value FROM settings").fetchall())
        self._connection = connection

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
        with self._transaction() as connection:
            for text, values in statements:
                connection.execute(text, values)
        self._seq = seq
        return events

    async def traced(self, ids: Set[str]) -> dict[str, Traced]:
        """Those of these deployments that it knows of."""
        return await self._call(lambda: traced(self._open_connection(), ids))

    async def forget_environment(self, target: Target) -> None:
        """Frees the project's name, so that another folder or engine may take it."""
        await self._call(
            lambda: self._open_connection().execute(
                "DELETE FROM environments WHERE project = ? AND environment = ?",
                (target.project, target.environment),
            )
        )

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

    @property
    def last_seq(self) -> int:
        """The number of the newest event that is committed."""
        return self._seq

    async def keep_setting(self, name: str, value: str) -> None:
        """Keeps a value for the agents after this one."""
        await self._call(
            lambda: self._open_connection().execute(
                "INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value)
            )
        )
        self.settings[name] = value
