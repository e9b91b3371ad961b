"""What is wrong with the file of a journal, and what can still be read of it. Changes nothing."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter, ValidationError

from core.events import Event
from core.journal.database import is_damage
from core.journal.schema import ADAPTERS
from core.journal.traced import Traced, traced
from core.records import (
    Activation,
    Deployment,
    DomainRecord,
    EnvironmentRecord,
    Execution,
    HostRecord,
    Run,
    UserRecord,
    VariableRecord,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Set
    from pathlib import Path

    from core.journal.schema import Kept

_TABLES: Final[dict[type, str]] = {
    EnvironmentRecord: "environments",
    HostRecord: "hosts",
    VariableRecord: "variables",
    UserRecord: "users",
    DomainRecord: "domains",
    Activation: "activations",
    Deployment: "deployments",
    Run: "runs",
    Execution: "executions",
    Event: "events",
}
_STEPS: Final = 10_000
"""Instructions of SQLite between two looks at the clock: less than a millisecond of work."""


@dataclass(slots=True)
class Salvaged:
    """What was read, and of how many rows it is known that they could not be."""

    records: list[Kept] = field(default_factory=list)
    unreadable: int = 0


def damage_of(path: Path, limit_s: float | None = None) -> str | None:
    """What is wrong with a journal; None where nothing was found, in the time that there was.

    Raises OSError, or sqlite3.Error, where that has other reasons than what is in the file.
    """
    deadline = None if limit_s is None else time.monotonic() + limit_s
    if not path.exists():
        return "it is not there"
    try:
        with closing(_opened(path)) as journal:
            if deadline is not None:
                journal.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
            (found,) = journal.execute("PRAGMA quick_check(1)").fetchone()
            return _unreadable_row(journal) if found == "ok" else str(found)
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            return None
        if is_damage(error):
            return str(error)
        raise


def _unreadable_row(journal: sqlite3.Connection) -> str | None:
    for kind, table in _tables(journal):
        for (body,) in journal.execute(f"SELECT body FROM {table}"):  # noqa: S608 - our names
            if _parsed(ADAPTERS[kind], body) is None:
                return f"a row of {table} cannot be read"
    return None


def _tables(journal: sqlite3.Connection) -> Iterator[tuple[type, str]]:
    """One of an earlier version has not all of them."""
    there = {name for (name,) in journal.execute("SELECT name FROM sqlite_master")}
    return ((kind, table) for kind, table in _TABLES.items() if table in there)


def known_to(path: Path, ids: Set[str]) -> dict[str, Traced]:
    """Those of these deployments that a journal knows of. Raises sqlite3.Error."""
    with closing(_opened(path)) as journal:
        if (Deployment, _TABLES[Deployment]) not in _tables(journal):
            return {}
        return traced(journal, ids)


def salvage(path: Path) -> Salvaged:
    """All records that can still be read; of some tables, maybe, only the first and the last."""
    found = Salvaged()
    with suppress(sqlite3.Error), closing(_opened(path)) as journal:
        for kind, table in _tables(journal):
            for body in _bodies(journal, table):
                record = _parsed(ADAPTERS[kind], body)
                if record is None:
                    found.unreadable += 1
                else:
                    found.records.append(record)
    return found


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def _bodies(journal: sqlite3.Connection, table: str) -> Iterator[Any]:
    """From both ends up to what cannot be read."""
    seen = set[int]()
    for order in ("", " DESC"):
        with suppress(sqlite3.Error):
            for number, body in journal.execute(
                f"SELECT rowid, body FROM {table} ORDER BY rowid{order}"  # noqa: S608 - our names
            ):
                if number in seen:
                    break
                seen.add(number)
                yield body


def _parsed(adapter: TypeAdapter[Any], body: Any) -> Any:
    try:
        return adapter.validate_json(body)
    except ValidationError:
        return None
