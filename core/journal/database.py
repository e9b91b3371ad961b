"""The file of the journal, and the one thread that all work on it is done on.

A commit is one call, so that a cancelled await never leaves a transaction half open and commits
keep their order.
"""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from core.errors import JournalDamaged, JournalError
from core.journal.schema import ADAPTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T = TypeVar("T")

_NOT_AS_WRITTEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_NO_JSON = "malformed JSON"
_PRIMARY = 0xFF
"""The part of SQLite's error codes that all errors of a kind share."""


def damaged(path: Path, reason: str) -> JournalDamaged:
    """The error of a journal that does not hold what was written to it."""
    return JournalDamaged(
        f"the journal {path} is damaged: {reason}",
        hint="what is live goes on; to make the journal anew: compartment doctor --rebuild",
    )


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error of SQLite tells of the content of the file, and not of its disk."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        # Text that is no UTF-8 is found by Python, not by SQLite, and has no code.
        return isinstance(error, sqlite3.OperationalError)
    return code & _PRIMARY in _NOT_AS_WRITTEN or str(error) == _NO_JSON


class Database:
    """An SQLite file; what is above it says what is asked and written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "journal")
        self._connection: sqlite3.Connection | None = None

    async def close(self) -> None:
        """Closes the file; everything committed stays."""
        if self._connection is not None:
            await self._call(self._connection.close)
        self._thread.shutdown()

    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise JournalError(f"the journal {self._path} is not open")
        return self._connection

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All of what is done in it is committed, or none."""
        connection = self._open_connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    async def _call(self, work: Callable[..., T], *arguments: Any) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
        except sqlite3.DatabaseError as error:
            if is_damage(error):
                raise damaged(self._path, str(error)) from error
            raise JournalError(
                f"the journal {self._path} cannot be used: {error}",
                hint="check that its disk has room and can be written; `compartment doctor` helps",
            ) from error
        except OSError as error:
            raise JournalError(
                f"the journal {self._path} cannot be opened: {error.strerror or error}",
                hint="choose another home folder with COMPARTMENT_HOME",
            ) from error

    async def _read(self, kind: type[T], statement: str, *values: Any) -> list[T]:
        def work() -> list[T]:
            adapter = ADAPTERS[kind]
            rows = self._open_connection().execute(statement, values).fetchall()
            try:
                return [adapter.validate_json(body) for (body,) in rows]
            except ValidationError as error:
                raise damaged(self._path, f"a {kind.__name__} in it cannot be read") from error

        return await self._call(work)
