"""A journal with a write-ahead log to cut, and what its content was after each commit."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from core.events import Event, EventType
from core.journal import Journal
from core.model import Status, Trigger
from core.records import Run
from tests.promotion.records import TARGET, deployment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.journal import Record

HEADER_BYTES: Final = 32
FRAME_HEADER_BYTES: Final = 24
"""Of the write-ahead log's file, and of each page in it (sqlite.org/fileformat.html, 4.1)."""

PAGE_BYTES: Final = 4096

Content = dict[str, list[tuple[object, ...]]]
"""The rows of each table."""


@dataclass
class Commits:
    """A journal as an agent that died has left it; `ends` tells where each commit ends."""

    folder: Path
    ends: list[tuple[int, Content]] = field(default_factory=list)
    """How long the log was after each commit, in bytes, and what the journal then held."""
    base: Content = field(default_factory=dict)
    """What it holds without the log."""

    @property
    def log(self) -> bytes:
        """The whole write-ahead log."""
        return (self.folder / "journal.db-wal").read_bytes()

    def at(self, size: int) -> Content:
        """What must be there when only so many bytes of the log are."""
        held = [content for end, content in self.ends if end <= size]
        return held[-1] if held else self.base

    def copied(self, folder: Path, log: bytes) -> Path:
        """The same journal with another log, and without the index of it that SQLite shares."""
        folder.mkdir()
        shutil.copyfile(self.folder / "journal.db", folder / "journal.db")
        (folder / "journal.db-wal").write_bytes(log)
        return folder / "journal.db"

    def places(self) -> Iterator[int]:
        """Around each end of a frame, and each byte of each frame's header."""
        frame = FRAME_HEADER_BYTES + PAGE_BYTES
        yield from range(HEADER_BYTES + 1)
        for begin in range(HEADER_BYTES, len(self.log), frame):
            yield from (begin - 1, *range(begin, begin + FRAME_HEADER_BYTES + 1))
        yield from (len(self.log) - 1, len(self.log))


async def committed(folder: Path, *, is_begun_anew: bool) -> Commits:
    """Writes runs, deployments and events, some of them longer than a page.

    With `is_begun_anew` the log was used before: behind its end is what it held then.
    """
    (folder / "live").mkdir(parents=True)
    path = folder / "live" / "journal.db"
    journal, rng = Journal(path), random.Random(8)
    await journal.open()
    for number in range(12 if is_begun_anew else 4):
        await journal.commit(_records(number, rng))
    with closing(sqlite3.connect(path)) as beside:
        # Into the file; the log then goes on from its beginning, or is emptied.
        beside.execute(f"PRAGMA wal_checkpoint({'RESTART' if is_begun_anew else 'TRUNCATE'})")
    found = Commits(folder / "dead")
    found.folder.mkdir()
    found.base = content(path)
    log, end = folder / "live" / "journal.db-wal", HEADER_BYTES
    for number in range(100, 108):
        before = log.read_bytes()
        await journal.commit(_records(number, rng))
        end = _changed_until(before, log.read_bytes(), end)
        found.ends.append((end, content(path)))
    for name in ("journal.db", "journal.db-wal"):
        shutil.copyfile(folder / "live" / name, found.folder / name)
    await journal.close()
    return found


def _changed_until(before: bytes, after: bytes, least: int) -> int:
    """Where the last frame ends that a commit has written."""
    if len(after) > len(before):
        return len(after)
    frame, end = FRAME_HEADER_BYTES + PAGE_BYTES, least
    for begin in range(least, len(after), frame):
        if before[begin : begin + frame] != after[begin : begin + frame]:
            end = begin + frame
    return end


def _records(number: int, rng: random.Random) -> list[Record]:
    run = Run(f"drn_{number}", TARGET, Trigger.DEPLOY, Status.RUNNING, f"2026-{number:04}")
    made = deployment(id=f"dep_{number}", run_id=run.id, created_at=run.created_at)
    told = Event(EventType.WARNING_GIVEN, run.created_at, "x" * rng.choice((10, 300, 9000)))
    earlier = run.changed(id=f"drn_{number - 1}", status=Status.SUCCEEDED)
    return [run, earlier, made, told, told]


def content(path: Path) -> Content:
    """Every row of every table, read beside whoever writes."""
    with closing(sqlite3.connect(path)) as journal:
        tables = journal.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
        ).fetchall()
        return {
            name: sorted(journal.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
            for (name,) in tables
        }
