"""The service's process under its shim: started, read, ended. Standard library only."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from core.lines import Line, LineSplitter, RotatingFile, stamp
from core.model import Stream

if TYPE_CHECKING:
    from collections.abc import Mapping

_PIPE_BYTES = 1024 * 1024
_CHUNK_BYTES = 256 * 1024
_IDLE_S = 1.0
"""A line without its end is shown when nothing has followed for so long."""

_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ, which Python 3.11 does not name everywhere
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


_HANDLED_BY_SHIM = (
    *(signal.SIGTERM, signal.SIGCHLD, signal.SIGINT, signal.SIGHUP),
    signal.SIGPIPE,  # by Python itself
)


def _prctl(option: int, value: int) -> None:
    """Asks the kernel; other systems than Linux do without."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def adopt_orphans() -> None:
    """Processes that detach themselves stay in our tree, and are ended with it."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


class Child:
    """One start of the service. Raises OSError, naming the file, when it cannot be started."""

    def __init__(self, spec: Mapping[str, Any], log: RotatingFile) -> None:
        self._log = log
        self._splitters: dict[int, tuple[Stream, LineSplitter]] = {}
        self._last_read = time.monotonic()
        stdout, child_stdout = _pipe()
        stderr, child_stderr = _pipe()
        try:
            self.pid = _spawn(spec, child_stdout, child_stderr)
        except OSError:
            os.close(stdout)
            os.close(stderr)
            raise
        finally:
            os.close(child_stdout)
            os.close(child_stderr)
        self.pipes = (stdout, stderr)
        self._splitters[stdout] = (Stream.STDOUT, LineSplitter())
        self._splitters[stderr] = (Stream.STDERR, LineSplitter())

    @property
    def is_line_pending(self) -> bool:
        """Whether something was written that no line end has followed yet."""
        return any(splitter.is_pending for _, splitter in self._splitters.values())

    def read(self, pipe: int) -> bool:
        """Keeps what has arrived; False at the end of the pipe."""
        try:
            chunk = os.read(pipe, _CHUNK_BYTES)
        except BlockingIOError:
            return True
        stream, splitter = self._splitters[pipe]
        self._last_read = time.monotonic()
        self._keep(stream, splitter.feed(chunk))
        return bool(chunk)

    def read_to_end(self, pipe: int, deadline: float) -> None:
        """Reads what is left; a stranger that holds the pipe open is not waited for."""
        while time.monotonic() < deadline:
            try:
                chunk = os.read(pipe, _CHUNK_BYTES)
            except BlockingIOError:
                return
            if not chunk:
                return
            stream, splitter = self._splitters[pipe]
            self._keep(stream, splitter.feed(chunk))

    def write_idle_lines(self, now: float) -> None:
        """Shows lines without an end, such as a prompt, once they have been idle for a second."""
        if now - self._last_read >= _IDLE_S:
            self.flush()

    def flush(self) -> None:
        """Keeps lines that have no end yet."""
        for stream, splitter in self._splitters.values():
            self._keep(stream, splitter.flush())

    def _keep(self, stream: Stream, texts: list[str]) -> None:
        if texts:
            at = stamp()
            self._log.append([Line(at, stream, text) for text in texts])

    def terminate(self) -> None:
        """Asks the whole process group to end."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """Ends the process group, and what has detached itself from it."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        for pid in _own_children():
            if pid != self.pid:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def _own_children() -> list[int]:
    """Direct children of the shim: the service, and orphans that the shim has adopted."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:  # noqa: PTH123 - start-up time
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return []


def _pipe() -> tuple[int, int]:
    reading, writing = os.pipe()
    with suppress(OSError):
        fcntl.fcntl(writing, _SET_PIPE_SIZE, _PIPE_BYTES)
    os.set_blocking(reading, False)
    return reading, writing


def _spawn(spec: Mapping[str, Any], stdout: int, stderr: int) -> int:
    """Starts the service in a session of its own.

    By hand rather than with `subprocess`, whose import takes as long as all of this start.
    """
    failed, failing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become_service(spec, stdout, stderr, failing)
    os.close(failing)
    with os.fdopen(failed, "rb") as told:
        failure = told.read()
    if failure:
        os.waitpid(pid, 0)
        number, _, name = failure.decode().partition(" ")
        raise OSError(int(number), os.strerror(int(number)), name)
    return pid


def _become_service(spec: Mapping[str, Any], stdout: int, stderr: int, failing: int) -> None:
    """In the child: never returns."""
    named = spec["cwd"]
    try:
        os.setsid()
        # A shim that is killed must not leave a service that nobody watches.
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        for number in (
            signal.SIGTERM,
            signal.SIGCHLD,
            signal.SIGINT,
            signal.SIGHUP,
            signal.SIGPIPE,
        ):
            signal.signal(number, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (stdout, 1), (stderr, 2)):
            os.dup2(source, target)
        os.umask(0o022)
        os.chdir(named)
        named = spec["argv"][0]
        os.execve(named, spec["argv"], spec["environment"])  # noqa: S606 - the argv has the shell
    except OSError as error:
        os.write(failing, f"{error.errno} {named}".encode())
    finally:
        os._exit(127)
