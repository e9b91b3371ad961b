"""A process that hangs: it is there, its sockets take connections, and it says nothing."""

from __future__ import annotations

import os
import signal
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_STOPPED_WITHIN_S = 10.0
_LOOK_EVERY_S = 0.001


def pause(pid: int) -> None:
    """Stops a process with all its threads; `SIGCONT` lets it go on.

    The signal alone is only on its way: until it is there, each thread may still do something.
    """
    os.kill(pid, signal.SIGSTOP)
    deadline = time.monotonic() + _STOPPED_WITHIN_S
    while any(_status(pid, each.id) not in "TtZX" for each in psutil.Process(pid).threads()):
        assert time.monotonic() < deadline, f"process {pid} does not stop"
        time.sleep(_LOOK_EVERY_S)


@asynccontextmanager
async def stopped(pid: int) -> AsyncIterator[None]:
    """A process that does nothing for as long as the block runs."""
    pause(pid)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _status(pid: int, thread: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/task/{thread}/stat").read_text(errors="replace")
        return stat.rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"
