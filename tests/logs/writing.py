"""Log files made for a test, by the hand that also makes real ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from core.lines import Line, RotatingFile, stamp
from core.logs.reader import LogSource
from core.model import Stream

if TYPE_CHECKING:
    from pathlib import Path

BEGAN = datetime(2026, 4, 24, 10, 1, tzinfo=UTC)
AT = stamp(BEGAN)
WEB = LogSource("dep_a", "web", "production")
API = LogSource("dep_b", "api", "production")


def second(number: float) -> str:
    """The stamp of a second since the test's own beginning of time."""
    return stamp(BEGAN + timedelta(seconds=number))


def write(path: Path, *texts: str, at: str = AT, stream: Stream = Stream.STDOUT) -> None:
    """Appends lines to a log file."""
    file = RotatingFile(path)
    file.append([Line(at, stream, text) for text in texts])
    file.close()
