"""What the processes under the shims take of this machine, all of them read in one pass."""

from __future__ import annotations

import os
import resource
import sys
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from core.engines.base import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HAS_PROC = sys.platform == "linux"
_PROC = "/proc"
_PARENT, _USER, _SYSTEM, _REAPED_USER, _REAPED_SYSTEM = 1, 11, 12, 13, 14
"""Where proc(5) has them, counted from the state, which follows the name."""


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    parent: int
    own_s: float
    reaped_s: float
    """The processor time of children that have ended, and of theirs."""


def usage_of(shims: Mapping[str, int]) -> dict[str, Usage]:
    """The usage of the tree below each shim, given by name and process id; without the shim.

    The time of processes that have ended is part of it, so that it never falls. Memory that
    processes of one tree share counts for each of them.
    """
    processes = {process.pid: process for process in _processes()}
    children: dict[int, list[_Process]] = defaultdict(list)
    for process in processes.values():
        children[process.parent].append(process)
    return {
        name: _sum(processes[shim], children) for name, shim in shims.items() if shim in processes
    }


def _sum(shim: _Process, children: Mapping[int, list[_Process]]) -> Usage:
    seconds, resident_bytes = shim.reaped_s, 0
    pending = list(children.get(shim.pid, ()))
    while pending:
        process = pending.pop()
        seconds += process.own_s + process.reaped_s
        resident_bytes += _resident_bytes(process.pid)
        pending += children.get(process.pid, ())
    return Usage(seconds, resident_bytes)


def _processes() -> Iterator[_Process]:
    """Every process of this machine. Those that end meanwhile are left out."""
    return _processes_of_proc() if _HAS_PROC else _processes_elsewhere()


def _processes_of_proc() -> Iterator[_Process]:
    """One small file for each process: psutil would read it several times."""
    tick_s = 1 / os.sysconf("SC_CLK_TCK")
    for name in os.listdir(_PROC):  # noqa: PTH208 - a Path for each process costs more than it tells
        content = _content_of(f"{_PROC}/{name}/stat") if name.isdigit() else b""
        if content:
            # The name of a process may have spaces and parentheses in it.
            fields = content[content.rindex(b")") + 2 :].split()
            yield _Process(
                pid=int(name),
                parent=int(fields[_PARENT]),
                own_s=(int(fields[_USER]) + int(fields[_SYSTEM])) * tick_s,
                reaped_s=(int(fields[_REAPED_USER]) + int(fields[_REAPED_SYSTEM])) * tick_s,
            )


def _processes_elsewhere() -> Iterator[_Process]:
    for process in psutil.process_iter(["ppid", "cpu_times"]):
        if (times := process.info["cpu_times"]) is not None:
            yield _Process(
                pid=process.pid,
                parent=process.info["ppid"],
                own_s=times.user + times.system,
                reaped_s=times.children_user + times.children_system,
            )


def _resident_bytes(pid: int) -> int:
    """Nothing for a process that has ended."""
    if not _HAS_PROC:
        with suppress(psutil.Error):
            return int(psutil.Process(pid).memory_info().rss)
        return 0
    content = _content_of(f"{_PROC}/{pid}/statm")  # that of `stat` is out by megabytes
    return int(content.split()[1]) * resource.getpagesize() if content else 0


def _content_of(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a thousand times a second
            return file.read()
    except OSError:
        return b""
