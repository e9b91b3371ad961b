"""What can become of the file of a journal while no agent has it open."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PAGE_BYTES = 4096
_PARTS = ("", "-wal", "-shm")


def copied(journal: Path) -> dict[str, bytes]:
    """A journal as it is now, with its log."""
    parts = (journal.with_name(journal.name + each) for each in _PARTS[:2])
    return {each.name: each.read_bytes() for each in parts if each.exists()}


def remove(journal: Path) -> None:
    """It is deleted."""
    for each in _PARTS:
        journal.with_name(journal.name + each).unlink(missing_ok=True)


def empty(journal: Path) -> None:
    """It is cut to nothing."""
    remove(journal)
    journal.touch(mode=0o600)


def _settled(journal: Path) -> bytes:
    """Its whole content, with what the log has."""
    with closing(sqlite3.connect(journal)) as opened:
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = journal.read_bytes()
    remove(journal)
    return content


def overwrite_header(journal: Path) -> None:
    """The first bytes are something else."""
    journal.write_bytes(b"not a journal" + _settled(journal)[13:])


def zero_pages(journal: Path) -> None:
    """All pages but the first one are zeroes."""
    content = _settled(journal)
    journal.write_bytes(content[:PAGE_BYTES] + bytes(len(content) - PAGE_BYTES))


def zero_a_table(journal: Path) -> None:
    """Where the deployments begin there is a page of zeroes."""
    with closing(sqlite3.connect(journal)) as opened:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'deployments'"
        (page,) = opened.execute(query).fetchone()
    content = _settled(journal)
    at = (page - 1) * PAGE_BYTES
    journal.write_bytes(content[:at] + bytes(PAGE_BYTES) + content[at + PAGE_BYTES :])


def cut_in_half(journal: Path) -> None:
    """The second half is missing."""
    content = _settled(journal)
    journal.write_bytes(content[: len(content) // 2])


def spoil_a_row(journal: Path) -> None:
    """To SQLite the file is sound, but records in it are none of ours any more."""
    journal.write_bytes(_settled(journal).replace(b'"artifact_id"', b'"artifact_??"'))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "its header is overwritten": overwrite_header,
    "it is cut to nothing": empty,
    "it is deleted": remove,
    "all pages but one are zeroed": zero_pages,
    "one page of it is zeroed": zero_a_table,
    "it is cut in half": cut_in_half,
    "a record in it is spoilt": spoil_a_row,
}
