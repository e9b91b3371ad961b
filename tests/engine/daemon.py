"""The private engine's process: started, stopped, and mistreated."""

from __future__ import annotations

import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

import psutil

from tests.engine import bridge, firewall
from tests.engine.client import connected
from tests.engine.machine import SEARCH_PATH, run
from tests.engine.place import DATA, EXEC, LOG, PID_FILE, SOCKET, STATE, NoEngine

_READY_WITHIN_S = 60.0
_ENDED_WITHIN_S = 30.0
_LOOK_EVERY_S = 0.05


def process() -> psutil.Process | None:
    """The private engine, if it runs."""
    with suppress(OSError, ValueError, psutil.NoSuchProcess):
        found = psutil.Process(int(PID_FILE.read_text()))
        if _runs(found) and f"unix://{SOCKET}" in found.cmdline():
            return found
    return None


def start() -> None:
    """Starts it on a bridge of its own; returns when it answers."""
    program = shutil.which("dockerd", path=SEARCH_PATH)
    assert program is not None
    bridge.add()
    LOG.unlink(missing_ok=True)
    launch([
        program,
        "--data-root", str(DATA),
        "--exec-root", str(EXEC),
        "--pidfile", str(PID_FILE),
        "--host", f"unix://{SOCKET}",
        "--bridge", bridge.NAME,
        # And no --default-address-pool: with one, an engine deletes docker0, also somebody else's.
        # Where the machine's own containerd runs, the engine uses that one.
        "--containerd-namespace", "compartment-test",
        "--containerd-plugins-namespace", "compartment-test-plugins",
    ])  # fmt: skip


def launch(command: list[str]) -> None:
    """Starts it with a command line, also one it ran with before; returns when it answers."""
    # Its containerd dies with it, but may stay a zombie, which the next one would take for alive.
    for leftover in (PID_FILE, SOCKET, EXEC / "containerd" / "containerd.pid"):
        leftover.unlink(missing_ok=True)
    before = firewall.rules()
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    # Not subprocess: the engine may outlive this process, which is not to be warned about that.
    pid = os.posix_spawn(
        command[0],
        command,
        {"PATH": SEARCH_PATH, "HOME": str(STATE)},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(LOG), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    started, deadline = psutil.Process(pid), time.monotonic() + _READY_WITHIN_S
    while not _answers():
        if not _runs(started):
            raise NoEngine(f"the engine does not start: {_last_words()}")
        if time.monotonic() > deadline:
            raise NoEngine(f"the engine did not answer within {_READY_WITHIN_S:.0f} s: see {LOG}")
        time.sleep(_LOOK_EVERY_S)
    with connected(str(SOCKET)) as client:
        ours = [f"br-{network['Id'][:12]}" for network in client.networks()]
    firewall.put_back(before, [bridge.NAME, *ours])


def stop() -> None:
    """Stops it, and leaves nothing but its data behind."""
    if running := process():
        end(running, signal.SIGTERM)
    _end_orphans()
    for path in _mounts():
        run("umount", "--lazy", path)  # the last threads of what was killed may still be ending
    bridge.remove()
    for leftover in (PID_FILE, SOCKET):
        leftover.unlink(missing_ok=True)


def end(running: psutil.Process, number: signal.Signals) -> None:
    """Ends a process by a signal, and waits until it is gone; killed when it does not go."""
    running.send_signal(number)
    deadline = time.monotonic() + _ENDED_WITHIN_S
    while _runs(running):
        if time.monotonic() > deadline:
            running.kill()
        time.sleep(_LOOK_EVERY_S)


def _runs(given: psutil.Process) -> bool:
    with suppress(ChildProcessError):  # it is not always ours
        os.waitpid(given.pid, os.WNOHANG)
    try:
        # A zombie's other threads may still hold what it had.
        is_over = given.status() == psutil.STATUS_ZOMBIE and len(given.threads()) <= 1
        return given.is_running() and not is_over
    except psutil.NoSuchProcess:
        return False


def _answers() -> bool:
    if not SOCKET.exists():
        return False
    with connected(str(SOCKET), timeout_s=5) as client:
        try:
            return bool(client.ping())
        except Exception:  # noqa: BLE001  whatever it is, it is no answer
            return False


def _last_words() -> str:
    lines = LOG.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _end_orphans() -> None:
    """What a killed engine left running: its containerd, and the shims with their containers."""
    for found in psutil.process_iter():
        with suppress(psutil.Error):
            if any(part.startswith(str(EXEC)) for part in found.cmdline()):
                for each in [*found.children(recursive=True), found]:
                    end(each, signal.SIGKILL)


def _mounts() -> list[str]:
    """What is still mounted in its folder, the innermost first."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    paths = [line.split()[4] for line in lines]
    return [path for path in reversed(paths) if path.startswith(f"{STATE}/")]
