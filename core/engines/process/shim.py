"""The shim: one small process per instance that owns its pipes and outlives the agent.

Started as a script, on the standard library only. It starts the service, stamps and keeps its
output, starts it again as its policy says, ends it when told to, and records how it ended.

Clients talk to it in lines of JSON over a unix socket: it tells its state at once and at every
change; it takes `{"do": "keep"}`, from when on the restart policy applies, and
`{"do": "stop", "graceMs": 10000}`.
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

if __name__ == "__main__":
    # Run as a script, in isolation: only this file knows where the package is.
    sys.path.append(str(Path(__file__).resolve().parents[3]))

from core.engines.process.child import Child, adopt_orphans
from core.lines import Line, RotatingFile, clean, stamp
from core.model import Stream

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 30.0
_STABLE_S = 10.0
_LINGER_S = 0.5
"""How long output is still read after the end, in case a stranger holds the pipes open."""


class Shim:
    """One instance from its first start to its last end."""

    def __init__(self, spec: dict[str, object]) -> None:
        self._spec = spec
        self._selector = selectors.DefaultSelector()
        self._log = RotatingFile(Path(str(spec["log"])))
        self._child: Child | None = None
        self._clients: set[socket.socket] = set()
        self._state = "starting"
        self._is_kept = False
        self._is_stopping = False
        self._kill_at: float | None = None
        self._restart_at: float | None = None
        self._pause_s = _FIRST_PAUSE_S
        self._restarts = 0
        self._failures = 0
        self._exit: dict[str, object] | None = None
        self._started = ("", 0.0)

    def run(self) -> None:
        """Serves until the instance has ended for good."""
        listening = _listen(str(self._spec["socket"]))
        self._selector.register(listening, selectors.EVENT_READ, self._accept)
        self._selector.register(_signals(), selectors.EVENT_READ, self._on_signal)
        adopt_orphans()
        self._start()
        while self._state != "exited":
            for key, _ in self._selector.select(self._timeout()):
                key.data(key.fileobj)
            self._on_time()
        Path(str(self._spec["socket"])).unlink(missing_ok=True)

    def _timeout(self) -> float | None:
        due = [at for at in (self._kill_at, self._restart_at) if at is not None]
        if self._child is not None and self._child.is_line_pending:
            due.append(time.monotonic() + 1.0)
        return max(0.0, min(due) - time.monotonic()) if due else None

    def _on_time(self) -> None:
        now = time.monotonic()
        if self._kill_at is not None and now >= self._kill_at:
            self._kill_at = None
            if self._child is not None:
                self._child.kill()
        if self._restart_at is not None and now >= self._restart_at:
            self._restart_at = None
            self._restarts += 1
            self._start()
        if self._child is not None:
            self._child.write_idle_lines(now)

    def _start(self) -> None:
        self._started = (stamp(), time.time())
        try:
            self._child = Child(self._spec, self._log)
        except OSError as error:
            shown = error.filename or self._spec["cwd"]
            self._end(
                {"code": None, "signal": None, "error": f"cannot start {shown}: {error.strerror}"}
            )
            return
        for pipe in self._child.pipes:
            self._selector.register(pipe, selectors.EVENT_READ, self._read)
        self._tell("running")

    def _read(self, pipe: object) -> None:
        assert isinstance(pipe, int)
        if self._child is not None and not self._child.read(pipe):
            self._selector.unregister(pipe)
            os.close(pipe)

    def _on_signal(self, woken: object) -> None:
        assert isinstance(woken, socket.socket)
        for number in woken.recv(4096):
            if number == signal.SIGTERM:
                self._stop(int(str(self._spec["graceMs"])))
        while ended := _reap():
            pid, status = ended
            if self._child is not None and pid == self._child.pid:
                self._on_exit(status)

    def _on_exit(self, status: int) -> None:
        assert self._child is not None
        child, self._child = self._child, None
        child.kill()  # what is left of its group goes with it
        deadline = time.monotonic() + _LINGER_S
        for pipe in child.pipes:
            if pipe in self._selector.get_map():
                self._selector.unregister(pipe)
                child.read_to_end(pipe, deadline)
                os.close(pipe)
        child.flush()
        code = os.waitstatus_to_exitcode(status)
        exit_ = {"code": code if code >= 0 else None, "signal": -code if code < 0 else None}
        self._end({**exit_, "error": None})

    def _end(self, exit_: dict[str, object]) -> None:
        """Decides what an end means: another start, or the end of all."""
        if time.time() - self._started[1] >= _STABLE_S:
            self._pause_s, self._failures = _FIRST_PAUSE_S, 0
        self._exit = {
            **exit_,
            "at": stamp(),
            "startedAt": self._started[0],
            "restarts": self._restarts,
        }
        self._say(_told(exit_))
        if not self._may_restart(exit_):
            self._record()
            self._tell("exited")
            return
        self._failures += 1
        self._restart_at = time.monotonic() + self._pause_s
        self._say(f"restarts in {self._pause_s:g} s")
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        self._tell("restarting")

    def _may_restart(self, exit_: dict[str, object]) -> bool:
        restart = self._spec["restart"]
        assert isinstance(restart, dict)
        if self._is_stopping or not self._is_kept or restart["policy"] == "no":
            return False
        if restart["policy"] == "on-failure" and exit_["code"] == 0:
            return False
        limit = restart["maxRetries"]
        return limit is None or self._failures < limit

    def _record(self) -> None:
        path = Path(str(self._spec["record"]))
        temporary = path.with_name(path.name + ".new")
        try:
            with temporary.open("w") as file:
                json.dump(self._exit, file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError:
            return  # the disk is full or gone: clients have been told all the same

    def _stop(self, grace_ms: int) -> None:
        if self._is_stopping:
            return
        self._is_stopping = True
        if self._child is None:
            self._restart_at = None
            self._tell("exited")
            return
        self._kill_at = time.monotonic() + grace_ms / 1000
        self._child.terminate()
        self._tell("stopping")

    def _say(self, text: str) -> None:
        self._log.append([Line(stamp(), Stream.COMPARTMENT, clean(text))])

    def _accept(self, listening: object) -> None:
        assert isinstance(listening, socket.socket)
        client, _ = listening.accept()
        client.setblocking(False)  # noqa: FBT003 - the socket's own interface
        self._clients.add(client)
        self._selector.register(client, selectors.EVENT_READ, self._hear)
        self._send(client)

    def _hear(self, client: object) -> None:
        assert isinstance(client, socket.socket)
        try:
            heard = client.recv(4096)
        except OSError:
            heard = b""
        if not heard:
            self._drop(client)
        for line in heard.splitlines():
            try:
                self._obey(json.loads(line))
            except (ValueError, TypeError, KeyError):
                self._drop(client)

    def _obey(self, order: dict[str, object]) -> None:
        if order["do"] == "keep":
            self._is_kept = True
        elif order["do"] == "stop":
            self._stop(int(str(order["graceMs"])))

    def _tell(self, state: str) -> None:
        self._state = state
        for client in tuple(self._clients):
            self._send(client)

    def _send(self, client: socket.socket) -> None:
        state = {
            "event": "state",
            "state": self._state,
            "pid": self._child.pid if self._child else None,
            "shimPid": os.getpid(),
            "startedAt": self._started[0],
            "startedAtUnix": self._started[1],
            "restarts": self._restarts,
            "exit": self._exit,
        }
        try:
            client.sendall(json.dumps(state).encode() + b"\n")
        except OSError:
            self._drop(client)  # gone, or too slow to wait for

    def _drop(self, client: socket.socket) -> None:
        if client in self._clients:
            self._clients.discard(client)
            self._selector.unregister(client)
            client.close()


def _told(exit_: dict[str, object]) -> str:
    if exit_["error"]:
        return str(exit_["error"])
    if exit_["signal"] is not None:
        return f"the process was ended by signal {exit_['signal']}"
    return f"the process exited with code {exit_['code']}"


def _listen(path: str) -> socket.socket:
    Path(path).unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    listening.bind(path)
    os.umask(before)
    listening.listen(16)
    return listening


def _signals() -> socket.socket:
    """Signals as bytes on a socket, so that one loop waits for everything."""
    woken, waker = socket.socketpair()
    woken.setblocking(False)  # noqa: FBT003 - the socket's own interface
    waker.setblocking(False)  # noqa: FBT003 - the socket's own interface
    signal.set_wakeup_fd(waker.detach())
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    return woken


def _reap() -> tuple[int, int] | None:
    try:
        pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return (pid, status) if pid else None


if __name__ == "__main__":
    Shim(json.loads(Path(sys.argv[1]).read_text())).run()
