"""Runs a build command and hands on what it says, line by line."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from core.ending import to_the_end
from core.errors import CompartmentError
from core.lines import LineSplitter

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from core.secrets import Mask

TIMEOUT_S = 30 * 60.0
GRACE_S = 2.0
_LOOK_AGAIN_S = 0.02
_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class BuildResult:
    """How a build command ended: with an exit code, by a signal, or by us because it took too long.

    `signal` is the number of the signal that ended it, or None.
    """

    exit_code: int | None
    signal: int | None
    timed_out_after_s: float | None = None

    @property
    def is_success(self) -> bool:
        """Whether it ended by itself, with exit code 0."""
        return self.exit_code == 0 and self.timed_out_after_s is None

    def __str__(self) -> str:
        if self.timed_out_after_s is not None:
            return f"the build did not finish within {_duration(self.timed_out_after_s)}: ended"
        if self.signal is not None:
            return f"the build was ended by {_signal_name(self.signal)}"
        return f"the build ended with exit code {self.exit_code}"


async def run_build(
    command: str,
    cwd: Path,
    environment: Mapping[str, str],
    on_line: Callable[[str], None],
    timeout_s: float = TIMEOUT_S,
    grace_s: float = GRACE_S,
    mask: Mask | None = None,
) -> BuildResult:
    """Runs the command with `/bin/sh -c`, in a session of its own and without input.

    No process of its group is left when this returns or is cancelled.

    Args:
        command: What the shell gets.
        cwd: Where it runs.
        environment: All that it sees; nothing is inherited.
        on_line: Gets each clean line of output and error output, in the order of writing.
        timeout_s: After this it is ended, and the result says so.
        grace_s: What is left of it gets between SIGTERM and SIGKILL.
        mask: Hides what must not be in the lines.

    Raises:
        CompartmentError: It cannot be started at all.
    """
    try:
        reader, transport, process = await _start(command, cwd, environment)
    except (OSError, ValueError) as error:
        raise CompartmentError(f"the command cannot be started: {_why(error)}") from error
    timed_out_after_s: float | None = None
    try:
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(_read(reader, LineSplitter(mask), on_line))
            try:
                async with asyncio.timeout(timeout_s):
                    await process.wait()
            except TimeoutError:
                timed_out_after_s = timeout_s
            finally:
                await to_the_end(_end_group(process, grace_s))
            # A process that left the group may hold the pipe open for ever.
            _, unfinished = await asyncio.wait([reading], timeout=GRACE_S)
            for task in unfinished:
                task.cancel()
    finally:
        transport.close()
    code = process.returncode
    assert code is not None
    if code < 0:
        return BuildResult(None, -code, timed_out_after_s)
    return BuildResult(code, None, timed_out_after_s)


async def _start(
    command: str, cwd: Path, environment: Mapping[str, str]
) -> tuple[asyncio.StreamReader, asyncio.ReadTransport, Process]:
    # A pipe of our own: with asyncio's, Process.wait() on Python 3.11 also waits until every
    # process that inherited the pipe has closed it.
    read_end, write_end = os.pipe()
    reader = asyncio.StreamReader(limit=_CHUNK_BYTES)
    protocol = asyncio.StreamReaderProtocol(reader)
    try:
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: protocol, os.fdopen(read_end, "rb", buffering=0)
        )
        try:
            process = await asyncio.create_subprocess_exec(
                "/bin/sh",
                "-c",
                command,
                cwd=cwd,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=write_end,
                stderr=write_end,
                start_new_session=True,
            )
        except BaseException:
            transport.close()
            raise
    finally:
        os.close(write_end)
    return reader, transport, process


async def _read(
    reader: asyncio.StreamReader, splitter: LineSplitter, on_line: Callable[[str], None]
) -> None:
    try:
        while chunk := await reader.read(_CHUNK_BYTES):
            for line in splitter.feed(chunk):
                on_line(line)
    finally:
        for line in splitter.flush():
            on_line(line)


async def _end_group(process: Process, grace_s: float) -> None:
    """Ends whatever is left of the process group: politely, then, after a grace time, by force."""
    if _signal_group(process.pid, signal.SIGTERM):
        deadline = time.monotonic() + grace_s
        while _has_living(process.pid) and time.monotonic() < deadline:
            await asyncio.sleep(_LOOK_AGAIN_S)
        _signal_group(process.pid, signal.SIGKILL)
    await process.wait()


def _signal_group(group: int, number: int) -> bool:
    """Whether the group still had a process to send it to."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):  # macOS: no permission for a group of zombies
        return False
    return True


def _has_living(group: int) -> bool:
    """Whether a process of the group still runs; a zombie does not, and may stay for ever."""
    for pid in psutil.pids():
        try:
            if os.getpgid(pid) == group and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                return True
        except (OSError, psutil.NoSuchProcess):
            continue
    return False


def _why(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _duration(seconds: float) -> str:
    return f"{seconds:g} s" if seconds % 60 else f"{seconds / 60:g} min"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
