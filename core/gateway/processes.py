"""The processes of Envoy that serve for a home folder, as the next agent finds them, too."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from core.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Sequence

_STOP_TIMEOUT_S = 5.0
_SAME_START_S = 0.01
_START_TICKS = 19
"""Where they stand in /proc/PID/stat, counted from what follows the name."""


@dataclass(frozen=True, slots=True)
class Process:
    """One Envoy. Pids come round again: only the start time tells the same process."""

    pid: int
    created_at: float
    """In seconds since the epoch of the system's clock."""
    epoch: int | None = None
    """How many have handed over before it; None for one that cannot hand over itself."""
    made_of: str = ""
    """What it was started with, as `Command.digest` has it."""
    born: str | None = None
    """What `born` tells of it: unlike the clock's time it stays the same when the clock is set."""

    @property
    def is_running(self) -> bool:
        """Whether it is alive, and really the one."""
        try:
            status = psutil.Process(self.pid).status()
        except psutil.NoSuchProcess:
            return False
        return self._is_there and status != psutil.STATUS_ZOMBIE

    @property
    def _is_there(self) -> bool:
        """Whether its pid is still its own; a zombie's other threads may still hold its ports."""
        if self.born is not None:
            return born(self.pid) == self.born
        try:
            created_at = psutil.Process(self.pid).create_time()
        except psutil.NoSuchProcess:
            return False
        return bool(abs(created_at - self.created_at) < _SAME_START_S)

    async def wait_exit(self) -> None:
        """Returns when it has ended with all of its threads, whoever's child it is."""
        with suppress(ProcessLookupError):
            await self._exit()

    async def end(self) -> None:
        """Ends it: asked first, then killed. Connections still open are cut."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.is_running:
                with suppress(ProcessLookupError):
                    os.kill(self.pid, number)
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_TIMEOUT_S):
                    await self.wait_exit()

    async def _exit(self) -> None:
        """By its pidfd, else by looking."""
        if not hasattr(os, "pidfd_open"):
            while self.is_running:
                await asyncio.sleep(0.1)
            return
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        descriptor = os.pidfd_open(self.pid)
        try:
            # Pids come round again: it may have gone before this could be asked.
            if self._is_there:
                loop.add_reader(descriptor, ended.set)
                await ended.wait()
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)


def born(pid: int) -> str | None:
    """Which boot a process is of, and after how many ticks of it (proc(5)); None: nobody says."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return f"{boot} {fields[_START_TICKS]}"


@dataclass(frozen=True, slots=True)
class Processes:
    """The one that takes connections, and the one before it while that finishes its own."""

    serving: Process | None = None
    leaving: Process | None = None


def read(path: Path) -> Processes:
    """Those of the record that are still alive."""
    try:
        record = json.loads(path.read_text())
        serving = _process(record)
        leaving = _process(record["leaving"]) if record.get("leaving") else None
    except (OSError, ValueError, KeyError, TypeError):
        return Processes()
    return Processes(
        serving if serving.is_running else None,
        leaving if leaving and leaving.is_running else None,
    )


def told_first(words: Sequence[str]) -> list[Process]:
    """Those that were told these words first, after the name of their program."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # others come and go
            if process.cmdline()[1 : len(words) + 1] == list(words):
                created_at = process.create_time()
                found.append(Process(process.pid, created_at, born=born(process.pid)))
    return found


def _process(record: dict[str, Any]) -> Process:
    return Process(
        record["pid"], record["createTime"], record.get("epoch"), record.get("madeOf", ""),
        record.get("born"),
    )  # fmt: skip


def write(path: Path, processes: Processes) -> None:
    """Keeps who serves for the agents after this one."""
    if processes.serving is None:
        path.unlink(missing_ok=True)
        return
    record = _record(processes.serving)
    if processes.leaving is not None:
        record["leaving"] = _record(processes.leaving)
    write_atomically(path, json.dumps(record).encode())


def _record(process: Process) -> dict[str, Any]:
    fields = asdict(process)
    return {
        "pid": fields["pid"],
        "createTime": fields["created_at"],
        "epoch": fields["epoch"],
        "madeOf": fields["made_of"],
        "born": fields["born"],
    }
