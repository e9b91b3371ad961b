"""An agent that kills itself at one of its commits: `python -P -m tests.proof.crashing FOLDER`.

It is the agent of the product in all but this: while the file `armed` is in the folder, each commit
is counted and written down in `steps`, and right before or right after the one that `point` names
the process ends by SIGKILL, as in a power cut of its own.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.agent import daemon
from core.journal import Journal
from core.journal.schema import ADAPTERS
from core.records import Deployment
from tests.proof.crash_steps import Point, Side, described

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from core.events import Event
    from core.journal import Record
    from tests.proof.crash_steps import Step

    Commit = Callable[[Journal, tuple[Record, ...]], list[Event]]

POINT, ARMED, STEPS = "point", "armed", "steps"


class Crash:
    """Counts the commits of a journal while it is armed."""

    def __init__(self, folder: Path, commit: Commit) -> None:
        self._folder = folder
        self._commit = commit
        self._point = Point.read(folder / POINT)
        self._number = 0

    def commit(self, journal: Journal, records: tuple[Record, ...]) -> list[Event]:
        """In place of the journal's own, on its thread."""
        if not (self._folder / ARMED).exists():
            return self._commit(journal, records)
        self._number += 1
        step = described(records, lambda id_: _kept(journal, id_))
        self._write(step)
        is_here = self._point.is_at(self._number, step)
        if is_here and self._point.side is Side.BEFORE:
            _die()
        events = self._commit(journal, records)
        if is_here:
            _die()
        return events

    def _write(self, step: Step) -> None:
        with (self._folder / STEPS).open("a") as file:
            file.write(step.as_line())


def _kept(journal: Journal, deployment_id: str) -> Deployment | None:
    row = (
        journal._open_connection()
        .execute("SELECT body FROM deployments WHERE id = ?", (deployment_id,))
        .fetchone()
    )
    found: Deployment | None = ADAPTERS[Deployment].validate_json(row[0]) if row else None
    return found


def _die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("killed, and still there")


def main() -> int:
    """The agent's own entry point, after its journal has been tampered with."""
    folder = Path(sys.argv.pop(1))
    crash = Crash(folder, Journal._commit)

    def commit(journal: Journal, records: tuple[Record, ...]) -> list[Event]:
        return crash.commit(journal, records)

    Journal._commit = commit  # type: ignore[assignment, method-assign]  # the point
    return daemon.main()


if __name__ == "__main__":
    sys.exit(main())
