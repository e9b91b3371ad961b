"""The file of the journal, and the one thread that all work on it is done on.

A commit is one call, so that a cancelled await never leaves a transaction half open and commits
keep their order.
"""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from core.errors import JournalError
from core.journal.schema import ADAPTERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")


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

    async def _read(self, kind: type[T], statement: str, *values: Any) -> list[T]:
        def work() -> list[T]:
            adapter = ADAPTERS[kind]
            rows = self._open_connection().execute(statement, values).fetchall()
            return [adapter.validate_json(body) for (body,) in rows]

        return await self._call(work)
