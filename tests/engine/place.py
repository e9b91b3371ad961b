"""Where the private engine lives, and who may start or stop it at the moment."""

from __future__ import annotations

import fcntl
import os
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

STATE = Path("/var/tmp/compartment-test-engine")
"""Kept between runs, because the images are in it."""

DATA, EXEC = STATE / "data", STATE / "exec"
SOCKET, PID_FILE, LOG = STATE / "docker.sock", STATE / "docker.pid", STATE / "docker.log"
STAYS = STATE / "stays"
"""There while the engine was started by hand, so that no test session stops it."""


class NoEngine(Exception):
    """Why no engine can be had here, in words for whoever runs the tests."""


@contextmanager
def locked() -> Iterator[None]:
    """Makes the folder; of several that start or stop the engine, one at a time goes on."""
    _make()
    with (STATE / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class Use:
    """Held by every session that uses the private engine, and let go even if it is killed."""

    def __init__(self) -> None:
        _make()
        self._file: TextIO = (STATE / "users").open("w")
        self.share()

    def share(self) -> None:
        """Others may use it as well."""
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def is_the_only_one(self) -> bool:
        """Whether nobody else uses the engine; others wait from now on, until it is shared."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def end(self) -> None:
        """Lets go."""
        self._file.close()


def _make() -> None:
    STATE.mkdir(mode=0o700, exist_ok=True)
    found = STATE.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise NoEngine(f"{STATE} is not a folder of yours: remove it")
    STATE.chmod(0o700)
