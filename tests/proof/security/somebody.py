"""Another user of this machine, who tries what nobody but the owner may do."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

UID: Final = 65_534
"""`nobody`, which owns nothing."""

_CONNECT_S: Final = 10.0


def as_somebody(tries: Callable[[], list[str]]) -> list[str]:
    """Runs it in a child that is that user and in no group of ours; returns what it could do."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns of threads; the child starts none and waits for none.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 1
        with suppress(BaseException):
            os.setgroups([])
            os.setgid(UID)
            os.setuid(UID)
            with os.fdopen(writing, "w") as told:
                json.dump(tries(), told)
            code = 0
        os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as told:
        said = told.read()
    _, status = os.waitpid(child, 0)
    assert status == 0, "the other user's process failed"
    found: list[str] = json.loads(said)
    return found


@dataclass(frozen=True, slots=True)
class Attempt:
    """Something that is tried."""

    name: str
    do: Callable[[], object]


def done(attempts: Iterable[Attempt]) -> list[str]:
    """Those that were not refused."""
    found = []
    for each in attempts:
        with suppress(OSError):
            each.do()
            found.append(each.name)
    return found


def on_path(path: Path) -> list[Attempt]:
    """What can be done with a file, a folder or a socket."""
    mode = path.lstat().st_mode
    tries = [
        Attempt(f"rename {path}", lambda: path.rename(path.with_name("stolen"))),
        Attempt(f"chmod {path}", lambda: path.chmod(0o777)),
        Attempt(f"look at {path}", path.stat),
        Attempt(f"link to {path}", lambda: Path(f"/tmp/stolen-{os.getpid()}").hardlink_to(path)),
    ]
    if stat.S_ISDIR(mode):
        tries += [
            Attempt(f"list {path}", lambda: list(path.iterdir())),
            Attempt(f"make a file in {path}", (path / "planted").touch),
            Attempt(f"make a link in {path}", lambda: (path / "planted").symlink_to("/etc/passwd")),
        ]
    elif stat.S_ISSOCK(mode):
        tries.append(Attempt(f"connect to {path}", lambda: _connect(str(path))))
        tries.append(Attempt(f"remove {path}", path.unlink))
    else:
        tries += [
            Attempt(f"read {path}", lambda: os.close(os.open(path, os.O_RDONLY))),
            Attempt(f"write {path}", lambda: os.close(os.open(path, os.O_WRONLY))),
            Attempt(f"remove {path}", path.unlink),
        ]
    return tries


def on_process(pid: int) -> list[Attempt]:
    """What can be done with a process."""
    proc = Path("/proc") / str(pid)
    return [
        *(
            Attempt(f"read {proc / name}", lambda name=name: (proc / name).read_bytes())  # type: ignore[misc]
            for name in ("environ", "mem", "maps", "auxv")
        ),
        Attempt(f"list the files of {pid}", lambda: list((proc / "fd").iterdir())),
        Attempt(f"enter the folder of {pid}", lambda: os.chdir(proc / "cwd")),
        *(
            Attempt(f"send {name} to {pid}", lambda name=name: os.kill(pid, name))  # type: ignore[misc]
            for name in (signal.SIG_DFL, signal.SIGTERM, signal.SIGKILL)
        ),
    ]


def on_port(port: int) -> Attempt:
    """Whether a port of loopback takes a connection."""

    def connect() -> None:
        with socket.create_connection(("127.0.0.1", port), _CONNECT_S):
            pass

    return Attempt(f"connect to port {port}", connect)


def _connect(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_CONNECT_S)
        client.connect(path)
