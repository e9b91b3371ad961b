"""The service's process under its shim: started, signalled, ended with all it has started.

Standard library only, and little of it: the service waits for what is imported here.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_PIPE_BYTES = 1024 * 1024
_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ, which Python 3.11 does not name everywhere
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_ENDING_S = 2.0
"""How long killed processes are waited for: one that hangs in the kernel is left behind."""


def adopt_orphans() -> None:
    """From now on processes that detach themselves stay in our tree, and can be ended with it."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


class Child:
    """One start of the service, in a session and process group of its own.

    Raises OSError, naming the file, when it cannot be started. `stdout` and `stderr` are the
    reading ends of its pipes, which the owner closes.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._asked: set[int] = set()
        self.stdout, child_stdout = _pipe()
        self.stderr, child_stderr = _pipe()
        try:
            self.pid = _spawn(spec, child_stdout, child_stderr)
        except OSError:
            os.close(self.stdout)
            os.close(self.stderr)
            raise
        finally:
            os.close(child_stdout)
            os.close(child_stderr)

    def terminate(self) -> None:
        """Asks the service, and what it has started in its own group, to end."""
        self._signal_group(signal.SIGTERM)

    def terminate_detached(self) -> None:
        """Asks those who have left the group and lost their parent, each of them once."""
        for pid in set(_own_children()) - self._asked:
            self._asked.add(pid)
            with suppress(OSError):
                if os.getpgid(pid) != self.pid:
                    os.kill(pid, signal.SIGTERM)

    def kill(self) -> None:
        """Ends the group, and the eldest of those who have left it."""
        self._signal_group(signal.SIGKILL)
        for pid in _own_children():
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)

    def end_tree(self) -> None:
        """Kills all that the service has left behind, generation by generation."""
        deadline = time.monotonic() + _ENDING_S
        while True:
            self.kill()
            if not is_tree_left() or time.monotonic() >= deadline:
                return
            time.sleep(0.002)

    def _signal_group(self, number: int) -> None:
        with suppress(OSError):
            os.killpg(self.pid, number)


def reap() -> tuple[int, int] | None:
    """The id and the wait status of a child that has ended, if one has."""
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, status) if pid else None


def is_tree_left() -> bool:
    """Reaps what has ended, and says whether any process of ours is left.

    Where orphans are adopted, having no child means having no descendant.
    """
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return False
        if not pid:
            return True


def _own_children() -> list[int]:
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as file:  # noqa: PTH123 - start-up time
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return []  # not Linux: the group is all that can be ended


def _prctl(option: int, value: int) -> None:
    """Asks the kernel; other systems than Linux do without."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _pipe() -> tuple[int, int]:
    reading, writing = os.pipe()
    with suppress(OSError):
        fcntl.fcntl(writing, _SET_PIPE_SIZE, _PIPE_BYTES)
    os.set_blocking(reading, False)
    return reading, writing


def _spawn(spec: Mapping[str, Any], stdout: int, stderr: int) -> int:
    """By hand rather than with `subprocess`, whose import takes as long as all of this start."""
    failed, failing = os.pipe()
    shim = os.getpid()
    pid = os.fork()
    if pid == 0:
        _become_service(spec, (stdout, stderr, failing), shim)
    os.close(failing)
    with os.fdopen(failed, "rb") as told:
        failure = told.read()
    if failure:
        os.waitpid(pid, 0)
        number, _, name = os.fsdecode(failure).partition(" ")
        raise OSError(int(number), os.strerror(int(number)), name)
    return pid


def _become_service(spec: Mapping[str, Any], pipes: tuple[int, int, int], shim: int) -> None:
    """In the child: never returns."""
    stdout, stderr, failing = pipes
    named = spec["cwd"]
    try:
        os.setsid()
        # A shim that is killed must not leave a service that nobody watches.
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != shim:
            return
        signal.set_wakeup_fd(-1)
        # What the shim handles, and what Python or whoever started all this had ignored.
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (stdout, 1), (stderr, 2)):
            os.dup2(source, target)
        os.umask(0o022)
        os.chdir(named)
        named = spec["argv"][0]
        os.execvpe(named, spec["argv"], spec["environment"])  # noqa: S606 - the argv has the shell
    except OSError as error:
        os.write(failing, os.fsencode(f"{error.errno} {named}"))
    except ValueError:  # a NUL in a variable or an argument
        os.write(failing, os.fsencode(f"{errno.EINVAL} {named}"))
    finally:
        os._exit(127)
