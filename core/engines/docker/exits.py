"""How a container has ended, from what the engine keeps of it."""

from __future__ import annotations

import signal
from datetime import datetime
from typing import Any, Final

from core.engines.base import Exit
from core.engines.docker.words import explain_start
from core.lines import stamp

Json = dict[str, Any]

_SIGNALLED: Final = 128
"""Added to the number of the signal that ended a process, as shells do."""

_UNITS: Final = (("G", 2**30), ("M", 2**20), ("K", 2**10))


def exit_of(container: Json) -> Exit:
    """The end of a container that does not run."""
    state = container["State"]
    code: int = state["ExitCode"]
    at = stamp(datetime.fromisoformat(state["FinishedAt"]))
    # Also set when it was one of many processes that was killed, and the others went on.
    if state["OOMKilled"] and code:
        return Exit(code, at=at, error=_needed_more(container["HostConfig"]["Memory"]))
    if state["Error"]:
        return Exit(code, at=at, error=f"could not be started: {explain_start(state['Error'])[0]}")
    return exit_by(code, at)


def exit_by(code: int, at: str | None = None) -> Exit:
    """The end of a process with this exit code, which may stand for a signal."""
    if code - _SIGNALLED in {*signal.Signals}:
        return Exit(signal=code - _SIGNALLED, at=at)
    return Exit(code, at=at)


def _needed_more(limit_bytes: int) -> str:
    if not limit_bytes:
        return "was killed: this machine had no memory left"
    return f"was killed: it needed more memory than its limit of {_told(limit_bytes)}"


def _told(size_bytes: int) -> str:
    """A size as limits are written, such as `64M`."""
    for unit, unit_bytes in _UNITS:
        if size_bytes % unit_bytes == 0:
            return f"{size_bytes // unit_bytes}{unit}"
    return f"{size_bytes} bytes"
