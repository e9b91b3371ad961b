"""A real shim under test: started as the engine starts it, and talked to as the agent talks."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.lines import Line, decode, part
from core.model import Stream

if TYPE_CHECKING:
    from collections.abc import Callable

SHIM = Path(__file__).parents[3] / "core/engines/process/shim.py"
DEADLINE_S = 45.0
"""Only against hanging."""

WAITS = "import os, time\nwhile not os.path.exists('go'): time.sleep(0.01)\n"
"""Begins a script that goes on when a test lets it; see `Shim.go`."""


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Returns as soon as the condition holds."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.002)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and is not reaped does not."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


class Client:
    """A connection as the agent holds one."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(DEADLINE_S)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._lines = self._socket.makefile("rb")

    def state(self) -> dict[str, Any]:
        """The next state that the shim tells."""
        told: dict[str, Any] = json.loads(self._lines.readline())
        assert told["event"] == "state"
        return told

    def wait_state(self, wanted: str) -> dict[str, Any]:
        """Reads on to a state."""
        while (told := self.state())["state"] != wanted:
            assert told["state"] != "exited", told
        return told

    def keep(self) -> dict[str, Any]:
        """Has the restart policy apply; returns the state in which it does."""
        self.order(do="keep")
        while not (told := self.state())["isKept"]:
            assert told["state"] != "exited", told
        return told

    def order(self, **order: Any) -> None:
        self.send(json.dumps(order).encode() + b"\n")

    def send(self, raw: bytes) -> None:
        self._socket.sendall(raw)

    def is_closed(self) -> bool:
        """Whether the shim has ended the conversation; states it told before are skipped."""
        try:
            while self._lines.readline():
                pass
        except ConnectionError:
            pass
        return True

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


@dataclass
class Shims:
    """Starts shims in a folder, and leaves none behind."""

    folder: Path
    started: list[Shim] = field(default_factory=list)

    def start(self, script: str, **changes: Any) -> Shim:
        """Runs a Python script under a shim."""
        shim = Shim(self.folder / str(len(self.started)), script, changes)
        self.started.append(shim)
        return shim

    def close(self) -> None:
        for shim in self.started:
            shim.close()


class Shim:
    """One shim with its service."""

    def __init__(self, folder: Path, script: str, changes: dict[str, Any]) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.socket = folder / "s"
        self.record_path = folder / "exit.json"
        self.log = folder / "logs" / "dep_a.1.log"
        self._clients: list[Client] = []
        spec = {
            "argv": [sys.executable, "-S", "-u", "-c", script],
            "cwd": str(folder),
            "log": str(self.log),
            "socket": str(self.socket),
            "record": str(self.record_path),
            "restart": {"policy": "no", "maxRetries": None},
            "graceMs": 5000,
        }
        private = {"environment": {"PATH": os.defpath, "GREETING": "hello"}, "secrets": []}
        private |= {name: changes.pop(name) for name in private.keys() & changes.keys()}
        (folder / "spec.json").write_text(json.dumps(spec | changes))
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(SHIM), str(folder / "spec.json")],
            stdin=subprocess.PIPE,
            cwd="/",
            env={"PATH": os.defpath},
            start_new_session=True,
        )
        assert self.process.stdin is not None
        with self.process.stdin as handed:
            handed.write(json.dumps(private).encode())

    def connect(self) -> Client:
        """A new client, as soon as the shim listens."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                client = Client(self.socket)
            except OSError:
                assert self.process.poll() is None, "the shim has ended"
                assert time.monotonic() < deadline, "the shim does not listen"
                time.sleep(0.002)
            else:
                self._clients.append(client)
                return client

    def go(self) -> None:
        """Lets a script go on that waits for it."""
        (self.folder / "go").touch()

    def wait(self) -> dict[str, Any]:
        """Waits for the end; returns the exit record."""
        assert self.process.wait(DEADLINE_S) == 0
        record: dict[str, Any] = json.loads(self.record_path.read_text())
        return record

    def lines(self, stream: Stream | None = None) -> list[Line]:
        """What is in the log, oldest first."""
        parts = [part(self.log, number) for number in (2, 1, 0)]
        raw = b"".join(path.read_bytes() for path in parts if path.exists())
        lines = [decode(line) for line in raw.splitlines(keepends=True)]
        assert None not in lines
        return [line for line in lines if line and stream in (None, line.stream)]

    def texts(self, stream: Stream = Stream.STDOUT) -> list[str]:
        return [line.text for line in self.lines(stream)] if self.log.exists() else []

    def wait_text(self, text: str, stream: Stream = Stream.STDOUT) -> None:
        """Returns as soon as a line is in the log."""
        wait_for(lambda: text in self.texts(stream), f"{text!r} in the log")

    def close(self) -> None:
        for client in self._clients:
            client.close()
        with suppress(ProcessLookupError):
            self.process.terminate()
        try:
            self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
