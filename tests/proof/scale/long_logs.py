"""A gigabyte of log lines, as services that have written for a long time leave them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from core.lines import Line, encode, part, stamp
from core.model import Stream

if TYPE_CHECKING:
    from pathlib import Path

PART_BYTES: Final = 10 * 1024 * 1024
PARTS: Final = 3
"""What is kept of each activation's lines: three parts of 10 MB."""

NEEDLE: Final = "a line that is there once"
_APART: Final = timedelta(milliseconds=2)
_TEXT: Final = "GET /orders/{} 200 in 12 ms, for a client far away that reads slowly " + "." * 60


def write_logs(logs: Path, names: list[str], at_least_bytes: int) -> int:
    """Gives activations full logs, the oldest line of the first one apart; returns the bytes.

    Each has all that is kept of it, so that there is at least as much as is asked for.
    """
    assert len(names) * PARTS * PART_BYTES >= at_least_bytes
    began = datetime.now(UTC) - timedelta(hours=3)
    return sum(
        _write(logs / name.partition(".")[0] / f"{name}.log", began, is_first=number == 0)
        for number, name in enumerate(names)
    )


def _write(path: Path, began: datetime, *, is_first: bool) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    number = written = 0
    for each in reversed(range(PARTS)):
        size = 0
        with part(path, each).open("wb") as file:
            while size < PART_BYTES:
                text = NEEDLE if is_first and number == 0 else _TEXT.format(number)
                size += file.write(
                    encode(Line(stamp(began + number * _APART), Stream.STDOUT, text))
                )
                number += 1
        written += size
    return written
