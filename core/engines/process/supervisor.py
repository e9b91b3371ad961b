"""The life of one instance under its shim: started, started again as its policy says, ended.

One thread and one loop. Standard library only.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.engines.process.child import Child, adopt_orphans, is_tree_left, reap
from core.engines.process.control import Control
from core.engines.process.output import Output
from core.lines import Line, RotatingFile, clean, shorten, stamp
from core.model import RestartPolicy, Stream
from core.secrets import Mask

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 30.0
_STABLE_S = 10.0
"""A service that ran for so long has started well: its earlier failures are forgotten."""


class Supervisor:
    """One instance from its first start to its last end."""

    def __init__(self, spec: Mapping[str, Any]) -> None:
        self._spec = spec
        self._mask = Mask(spec["secrets"])
        self._selector = selectors.DefaultSelector()
        self._log = RotatingFile(Path(spec["log"]))
        self._control = Control(spec["socket"], self._selector)
        self._control.state = self._described
        self._control.obey = self._obey
        self._state = "running"
        self._child: Child | None = None
        self._output: Output | None = None
        self._code: int | None = None
        """How the service ended, while others of its tree are still waited for."""
        self._is_kept = spec.get("isKept", False)
        self._kill_at: float | None = None
        self._restart_at: float | None = None
        self._pause_s: float | None = None
        """Between the last end and the start after it."""
        self._failures = 0
        self._restarts = 0
        self._exit: dict[str, Any] | None = None
        self._started_at = ("", 0.0, 0.0)
        """As text, as Unix time, and by the monotonic clock."""

    def run(self) -> None:
        """Serves until the instance has ended for good."""
        self._selector.register(_signals(), selectors.EVENT_READ, self._on_signal)
        adopt_orphans()
        self._start()
        while self._state != "exited":
            for key, _ in self._selector.select(self._timeout()):
                key.data(key.fileobj)
            self._on_time(time.monotonic())
        self._control.close()
        self._log.close()

    def _timeout(self) -> float | None:
        output_due = self._output.due if self._output else None
        due = [at for at in (self._kill_at, self._restart_at, output_due) if at is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _on_time(self, now: float) -> None:
        if self._output is not None:
            self._output.keep_idle_lines(now)
        if self._kill_at is not None and now >= self._kill_at:
            self._kill()
        if self._restart_at is not None and now >= self._restart_at:
            self._restart_at = None
            self._restarts += 1
            self._start()

    def _start(self) -> None:
        self._started_at = (stamp(), time.time(), time.monotonic())
        try:
            self._child = Child(self._spec)
        except OSError as error:
            self._end(error=f"cannot start {error.filename or 'a process'}: {error.strerror}")
            return
        self._output = Output(self._child, self._log, self._mask)
        for pipe in self._output.pipes:
            self._selector.register(pipe, selectors.EVENT_READ, self._read)
        self._tell("running")

    def _read(self, pipe: int) -> None:
        # The process may have been settled since its pipe was found to be ready.
        if self._output is not None and not self._output.read(pipe):
            self._selector.unregister(pipe)

    def _on_signal(self, woken: socket.socket) -> None:
        if signal.SIGTERM in woken.recv(4096):
            self._stop(self._spec["graceMs"])
        while ended := reap():
            pid, status = ended
            if self._child is not None and pid == self._child.pid:
                self._code = os.waitstatus_to_exitcode(status)
        if self._child is None or self._code is None:
            return
        if self._kill_at is not None and is_tree_left():
            self._child.terminate_detached()  # in a stop all of its tree have the grace
        else:
            self._settle()

    def _kill(self) -> None:
        self._kill_at = None
        if self._child is None:
            return
        self._say("the grace is over: killed")
        self._child.kill()
        if self._code is not None:
            self._settle()

    def _settle(self) -> None:
        """Ends what is left of a start, and keeps its last output."""
        assert self._child is not None
        assert self._output is not None
        assert self._code is not None
        self._child.end_tree()
        for pipe in self._output.pipes:
            self._selector.unregister(pipe)
        self._output.drain()
        code = self._code
        self._child = self._output = self._code = None
        self._end(code=code)

    def _end(self, *, code: int | None = None, error: str | None = None) -> None:
        """Decides what an end means: another start, or the end of all."""
        at, _, since = self._started_at
        if time.monotonic() - since >= _STABLE_S:
            self._failures = 0
        self._exit = {
            "code": code if code is not None and code >= 0 else None,
            "signal": -code if code is not None and code < 0 else None,
            "at": stamp(),
            "startedAt": at,
            "restarts": self._restarts,
            "error": error,
        }
        self._say(error or _told(code))
        if not self._may_restart(is_success=code == 0):
            self._finish()
            return
        pause_s = min(_FIRST_PAUSE_S * 2**self._failures, _LONGEST_PAUSE_S)
        self._failures += 1
        self._restart_at = time.monotonic() + pause_s
        self._pause_s = pause_s
        self._say(f"restarts in {pause_s:g} s")
        self._tell("restarting")

    def _may_restart(self, *, is_success: bool) -> bool:
        policy, limit = self._spec["restart"]["policy"], self._spec["restart"]["maxRetries"]
        if self._state == "stopping" or not self._is_kept or policy == RestartPolicy.NO:
            return False
        if policy == RestartPolicy.ON_FAILURE and is_success:
            return False
        return limit is None or self._failures < limit

    def _finish(self) -> None:
        _record(Path(self._spec["record"]), self._exit)
        self._tell("exited")

    def _obey(self, order: dict[str, Any]) -> None:
        if order["do"] == "keep":
            self._is_kept = True
            self._control.tell()
        elif order["do"] == "stop":
            self._stop(order.get("graceMs", self._spec["graceMs"]))

    def _stop(self, grace_ms: float) -> None:
        if self._child is None:
            if self._state == "restarting":
                self._restart_at = None
                self._finish()
            return
        kill_at = time.monotonic() + grace_ms / 1000
        if self._state == "stopping":
            self._kill_at = min(kill_at, self._kill_at or kill_at)
            return
        self._kill_at = kill_at
        self._child.terminate()
        self._tell("stopping")

    def _say(self, text: str) -> None:
        self._log.append([Line(stamp(), Stream.COMPARTMENT, shorten(clean(text)))])

    def _tell(self, state: str) -> None:
        self._state = state
        self._control.tell()

    def _described(self) -> dict[str, Any]:
        is_running = self._child is not None and self._code is None
        return {
            "event": "state",
            "state": self._state,
            "pid": self._child.pid if self._child is not None and is_running else None,
            "shimPid": os.getpid(),
            "startedAt": self._started_at[0],
            "startedAtUnix": self._started_at[1],
            "isKept": self._is_kept,
            "restarts": self._restarts,
            "pauseS": self._pause_s,
            "exit": self._exit,
        }


def _told(code: int | None) -> str:
    if code is None or code >= 0:
        return f"the process exited with code {code}"
    number = -code
    known = {known.value: known.name for known in signal.Signals}
    return f"the process was ended by {known.get(number, f'signal {number}')}"


def _record(path: Path, exit_: Mapping[str, Any] | None) -> None:
    temporary = path.with_name(f"{path.name}.new")
    try:
        with temporary.open("w") as file:
            json.dump(exit_, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        return  # the disk is full or gone: clients are told all the same


def _signals() -> socket.socket:
    """Signals as bytes on a socket, so that one loop waits for everything."""
    woken, waker = socket.socketpair()
    woken.setblocking(False)  # noqa: FBT003 - the socket's own interface
    waker.setblocking(False)  # noqa: FBT003 - the socket's own interface
    signal.set_wakeup_fd(waker.detach(), warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    return woken


def supervise(spec: str) -> None:
    """Runs the instance that a file describes, until it has ended for good.

    Its environment, and which values of it must not be shown, come through standard input, because
    they must not be found in any file.
    """
    described = json.loads(Path(spec).read_text())
    Supervisor(described | json.load(sys.stdin.buffer)).run()
