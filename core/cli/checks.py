"""What `doctor` looks at on the machine itself."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from core.cli.report import resolves
from core.errors import CompartmentError

if TYPE_CHECKING:
    from core.files import Home

_ROOM_BYTES = 200 * 1024 * 1024
_PLENTY_BYTES = 2 * 1024 * 1024 * 1024
_OLDEST_PYTHON = (3, 11)
_LONGEST_SOCKET_BYTES = 103


class Level(StrEnum):
    """How a check ended; the words are what people read."""

    OK = "ok"
    WARNING = "warning"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Check:
    """What was found, and how to mend it."""

    name: str
    level: Level
    found: str
    mend: str | None = None
    is_reachability: bool = False
    """Whether a failure means that the agent or the gateway cannot be reached."""


def machine_checks(home: Home, base_domain: str) -> list[Check]:
    """The checks of what is there before anything of ours runs."""
    return [_python(), _proc(), _home(home), _room(home), _socket_path(home), _names(base_domain)]


def _python() -> Check:
    found = platform.python_version()
    if sys.version_info >= _OLDEST_PYTHON:
        return Check("python", Level.OK, found)
    return Check("python", Level.FAIL, found, "install Python 3.11 or newer")


def _proc() -> Check:
    if Path("/proc/self/stat").exists():
        return Check("processes", Level.OK, "/proc is there")
    if sys.platform != "linux":
        return Check("processes", Level.OK, f"no /proc on {sys.platform}; psutil knows another way")
    return Check(
        "processes", Level.FAIL, "/proc is not there", "mount it: mount -t proc proc /proc"
    )


def _home(home: Home) -> Check:
    name, mend = "home folder", "set COMPARTMENT_HOME to a folder that you own and that has room"
    folder = _nearest(home.root)
    found = folder.stat()
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return Check(name, Level.FAIL, f"{folder} cannot be written to", mend)
    if folder != home.root:
        return Check(name, Level.OK, f"{home.root} will be made")
    if found.st_uid != os.getuid():
        return Check(name, Level.FAIL, f"{home.root} belongs to somebody else", mend)
    if stat.S_IMODE(found.st_mode) & 0o077:
        told = f"{home.root} is open to others"
        return Check(name, Level.FAIL, told, f"chmod 700 {home.root}")
    try:
        with tempfile.TemporaryFile(dir=home.root) as file:
            file.write(b"x" * 4096)
    except OSError as error:
        return Check(name, Level.FAIL, f"{home.root}: {error.strerror or error}", mend)
    return Check(name, Level.OK, str(home.root))


def _nearest(folder: Path) -> Path:
    """The folder, or what of it is there."""
    return next(each for each in (folder, *folder.parents) if os.path.lexists(each))


def _room(home: Home) -> Check:
    free = shutil.disk_usage(_nearest(home.root)).free
    found = f"{free / 1024**3:.1f} GiB free"
    mend = "make room, or set COMPARTMENT_HOME to a folder on another disk"
    if free < _ROOM_BYTES:
        return Check("disk", Level.FAIL, found, mend)
    return Check("disk", Level.OK if free >= _PLENTY_BYTES else Level.WARNING, found, mend)


def _socket_path(home: Home) -> Check:
    length = len(os.fsencode(home.agent_socket))
    found = f"{home.agent_socket} ({length} bytes)"
    try:
        if os.path.lexists(home.sockets):
            home.claim_sockets()
    except CompartmentError as error:
        return Check("socket path", Level.FAIL, error.message, error.hint)
    if length <= _LONGEST_SOCKET_BYTES:
        return Check("socket path", Level.OK, found)
    return Check(
        "socket path", Level.FAIL, found, "set COMPARTMENT_HOME or TMPDIR to a shorter path"
    )


def _names(base_domain: str) -> Check:
    if resolves(f"compartment.{base_domain}"):
        return Check("names", Level.OK, f"*.{base_domain} resolves")
    mend = "browsers need nothing; for curl use -H 'Host: ...', or install libnss-myhostname"
    if base_domain != "localhost":
        mend = "give it a wildcard record in DNS; until then use curl -H 'Host: ...'"
    return Check("names", Level.WARNING, f"*.{base_domain} does not resolve", mend)
