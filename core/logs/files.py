"""Where log files are, and how to open one that is rotated meanwhile.

`<logs>/<deployment>/compartment.log` and beside it one file for each activation and execution.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from core.lines import part

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path

COMPARTMENT_FILE = "compartment.log"
_BLOCK_BYTES = 64 * 1024


def log_files(logs: Path, deployment_id: str, execution_id: str | None = None) -> list[Path]:
    """The current log files of a deployment, or of one execution, without their rotated parts."""
    folder = logs / deployment_id
    return sorted(folder.glob(f"{execution_id or '*'}.log")) if folder.is_dir() else []


@dataclass(frozen=True, slots=True)
class Part:
    """An open part of a log file; `end` is where its last whole line ended when it was opened."""

    file: FileIO
    inode: int
    end: int


def open_parts(path: Path) -> list[Part]:
    """A log file and its rotated parts, the newest first, for the caller to close.

    No part is missing or there twice, even if the file is rotated at this very moment.
    """
    while True:
        parts = _open_each(path)
        if _newest_inode(path) == (parts[0].inode if parts else None):
            return parts
        for each in parts:
            each.file.close()


def _newest_inode(path: Path) -> int | None:
    """Of the part that is written to, or was until a rotation that is not over."""
    for number in (0, 1):
        try:
            return part(path, number).stat().st_ino
        except FileNotFoundError:
            continue
    return None


def _open_each(path: Path) -> list[Part]:
    parts: dict[int, Part] = {}
    missing = 0
    for number in count():
        try:
            file = part(path, number).open("rb", buffering=0)
        except FileNotFoundError:
            missing += 1
            if missing > 1:  # one number is unused while a rotation shifts the parts
                return list(parts.values())
            continue
        inode = os.fstat(file.fileno()).st_ino
        if inode in parts:
            file.close()
        else:
            parts[inode] = Part(file, inode, _end_of_lines(file))
    raise AssertionError


def _end_of_lines(file: FileIO) -> int:
    """Where the last line that has its end does end: a line may be half written at this moment."""
    at = os.fstat(file.fileno()).st_size
    while at > 0:
        start = max(0, at - _BLOCK_BYTES)
        newline = os.pread(file.fileno(), at - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        at = start
    return 0
