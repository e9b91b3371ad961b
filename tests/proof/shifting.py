"""An agent whose clock a test sets: `python -P -m tests.proof.shifting FILE`.

In the file stands by how many seconds its clock is ahead of the machine's; it is read whenever the
agent asks what time it is, so that the clock jumps under it. Clocks that nobody can set (monotonic
ones) go on as they are, as on a machine. What the agent starts has the machine's own time.
"""

from __future__ import annotations

import datetime
import sys
import time
from pathlib import Path
from typing import Any

_real_time = time.time
_RealDatetime = datetime.datetime


def ahead_s(file: Path) -> float:
    """By how much the clock is ahead; not at all while nobody has said."""
    try:
        return float(file.read_text() or 0)
    except FileNotFoundError:
        return 0.0


def shift(file: Path) -> None:
    """Has everything that asks for the time see the other clock."""

    class AnyDatetime(type):
        """What others have made is one, too."""

        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, _RealDatetime)

    class Shifted(_RealDatetime, metaclass=AnyDatetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Any:
            return cls.fromtimestamp(time.time(), tz)

    time.time = lambda: _real_time() + ahead_s(file)
    time.time_ns = lambda: round(time.time() * 1e9)
    datetime.datetime = Shifted  # type: ignore[misc]  # the point


def main() -> int:
    """The agent's own entry point, once the clock is another."""
    shift(Path(sys.argv.pop(1)))
    # Only now: what is imported takes its clock along.
    from core.agent import daemon

    return daemon.main()


if __name__ == "__main__":
    sys.exit(main())
