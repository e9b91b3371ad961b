"""Log lines as text for a file or the clipboard. Pure, but for the file that `save` makes."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from core.model import Stream
    from tui.logs.record import Record

_UNFIT_FOR_A_NAME = re.compile(r"[^\w.-]+")
_MOST_ATTEMPTS = 1000


def plain(record: Record) -> str:
    """One whole line: its time in UTC, its service, its text without colours."""
    return f"{record.at} {record.service} {record.text}"


def name_of_file(project: str, stream: Stream, now: datetime) -> str:
    """The name of a file with the lines of one stream."""
    fit = _UNFIT_FOR_A_NAME.sub("_", project).strip(".")[:80] or "project"
    return f"{fit}-{stream}-{now.astimezone():%Y%m%d-%H%M%S}.log"


def save(records: Iterable[Record], folder: Path, name: str) -> Path:
    """Writes the lines to a new file, never over one that is there.

    Raises:
        OSError: The folder cannot be written to, or the disk is full.
    """
    stem = name.removesuffix(".log")
    for number in range(1, _MOST_ATTEMPTS):
        path = folder / (f"{stem}.log" if number == 1 else f"{stem}-{number}.log")
        try:
            # For its owner only: logs may hold secrets.
            with open(
                path, "x", encoding="utf-8", errors="replace",
                opener=lambda name, flags: os.open(name, flags, 0o600),
            ) as file:  # fmt: skip
                file.writelines(f"{plain(record)}\n" for record in records)
        except FileExistsError:
            continue
        return path
    raise FileExistsError(17, "too many files of that name", str(folder / name))
