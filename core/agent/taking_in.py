"""An agent of a unit takes what it has adopted into that unit.

What was started from a login may end with that login; a unit ends with the machine.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psutil

from core.agent import systemd
from core.agent.unit import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.files import Home

_log = logging.getLogger(__name__)

_MANAGER: Final = "org.freedesktop.systemd1"
_PATH: Final = "/org/freedesktop/systemd1"


def take_in(home: Home, gateway: int | None, unit: str) -> None:
    """Moves the gateway and all instances of a home into the unit of this process."""
    ours = cgroup_of(os.getpid())
    left = [pid for pid in lasting(home, gateway) if cgroup_of(pid) != ours]
    if not left:
        return
    pids = [str(len(left)), *map(str, left)]
    call = ["call", _MANAGER, _PATH, f"{_MANAGER}.Manager", "AttachProcessesToUnit", "ssau"]
    # Set for what the systemd of a user starts (systemd.exec(5)).
    kind = Kind.USER if "MANAGERPID" in os.environ else Kind.SYSTEM
    failure = systemd.call(kind, *call, unit, "", *pids, program="busctl")
    if failure:
        _log.warning("what was live before stays outside of %s: %s", unit, failure)


def lasting(home: Home, gateway: int | None) -> list[int]:
    """The processes of a home that outlive its agent: the gateway, shims, and all below them."""
    found = {gateway} if gateway is not None else set[int]()
    for process in _shims(home):
        with suppress(psutil.Error):
            found |= {process.pid, *(each.pid for each in process.children(recursive=True))}
    return sorted(found)


def _shims(home: Home) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            described = Path((process.cmdline() or [""])[-1])
            if described.parent.parent == home.instances:
                yield process


def cgroup_of(pid: int) -> str:
    """Where systemd keeps a process; empty where that cannot be seen."""
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    except OSError:
        return ""
    known = {line.split(":", 2)[1]: line.split(":", 2)[2] for line in lines}
    # Version 2, else systemd's own hierarchy of version 1.
    return known.get("") or known.get("name=systemd", "")
