"""Which process listens where: whose answer a probe gets."""

from __future__ import annotations

import re
import socket
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PROC = Path("/proc")
_TABLES = (_PROC / "net/tcp", _PROC / "net/tcp6")
# sl, local address, remote address, state 0A (listening), three columns, user, timeout, inode
_LISTENING_LINE = re.compile(
    rb" *\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ 0A \S+ \S+ \S+ +\d+ +\d+ (\d+) "
)
# What takes a connection to 127.0.0.1, the most specific first. A listener on :: takes it only when
# no other socket does: else it would not have been let in beside it.
_ANSWERING = ("127.0.0.1", "0.0.0.0", "::")  # noqa: S104  compared with, never bound


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening TCP socket of a process."""

    pid: int
    address: str
    port: int


def tree(pid: int) -> list[int]:
    """The process and all its descendants; empty when there is no such process."""
    try:
        process = psutil.Process(pid)
        return [pid, *(child.pid for child in process.children(recursive=True))]
    except psutil.NoSuchProcess:
        return []


def listening(pids: Iterable[int]) -> list[Listener]:
    """The listening sockets of these processes, as far as the system lets us look."""
    if not _TABLES[0].exists():
        return [listener for pid in pids for listener in _listening_elsewhere(pid)]
    sockets = _listening_sockets()
    return [
        Listener(pid, *sockets[inode])
        for pid in pids
        for inode in dict.fromkeys(_socket_inodes(pid))
        if inode in sockets
    ]


def owns_port(pid: int, port: int) -> bool:
    """Whether a connection to 127.0.0.1 at this port reaches the process or a descendant of it."""
    own = tree(pid)
    mine = [listener.address for listener in listening(own) if listener.port == port]
    return _answers(mine, port)


def explain(pid: int, port: int) -> str | None:
    """Why connections to 127.0.0.1 at this port do not reach the process; None when they do."""
    own = tree(pid)
    mine = listening(own)
    at_port = sorted({listener.address for listener in mine if listener.port == port})
    if _answers(at_port, port):
        return None
    if (stranger := _stranger(own, port)) is not None:
        return f"port {port} is answered by another process: {stranger}"
    if at_port:
        return (
            f"it listens on port {port} at {', '.join(at_port)} only:"
            " let it listen at 127.0.0.1 or at every address"
        )
    others = sorted({listener.port for listener in mine})
    if others:
        ports = f"port{'s' if len(others) > 1 else ''} {', '.join(map(str, others))}"
        return f"it listens on {ports}, not on {port}: let it read the port from $PORT"
    return f"nothing listens on port {port}: the service must listen on $PORT"


def _answers(addresses: Iterable[str], port: int) -> bool:
    """Whether one of these addresses is the one that takes connections to 127.0.0.1."""
    present = set(addresses)
    best = next((address for address in _ANSWERING if address in present), None)
    if best is None:
        return False
    if best != _ANSWERING[-1]:
        return True
    everyone = {address for address, at in _listening_sockets().values() if at == port}
    return not everyone.intersection(_ANSWERING[:-1])


def _stranger(own: list[int], port: int) -> str | None:
    """Who else takes connections to 127.0.0.1 at this port."""
    for listener in listening(set(psutil.pids()).difference(own)):
        if listener.port == port and listener.address in _ANSWERING:
            try:
                return f"{psutil.Process(listener.pid).name()} (process {listener.pid})"
            except psutil.NoSuchProcess:
                continue
    hidden = (address for address, at in _listening_sockets().values() if at == port)
    return "one that belongs to another user" if set(hidden).intersection(_ANSWERING) else None


def _listening_sockets() -> dict[int, tuple[str, int]]:
    """Address and port of every listening TCP socket of this machine, by inode; Linux only."""
    found: dict[int, tuple[str, int]] = {}
    for table in _TABLES:
        for line in table.read_bytes().splitlines() if table.exists() else ():
            # Most lines of a busy machine are connections: they must not cost more than this look.
            if b" 0A " in line and (match := _LISTENING_LINE.match(line)):
                address, port, inode = match.groups()
                found[int(inode)] = (_address(address), int(port, 16))
    return found


def _address(digits: bytes) -> str:
    """The kernel writes each 32 bits as a number of the machine's own byte order."""
    words = [int(digits[at : at + 8], 16) for at in range(0, len(digits), 8)]
    packed = struct.pack(f"={len(words)}I", *words)
    family = socket.AF_INET if len(words) == 1 else socket.AF_INET6
    return socket.inet_ntop(family, packed).removeprefix("::ffff:")


def _socket_inodes(pid: int) -> Iterator[int]:
    try:
        for descriptor in _PROC.joinpath(str(pid), "fd").iterdir():
            try:
                target = str(descriptor.readlink())
            except FileNotFoundError:
                continue  # closed while we look
            if target.startswith("socket:["):
                yield int(target[8:-1])
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return  # ended, or another user's


def _listening_elsewhere(pid: int) -> list[Listener]:
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return []
    return [
        Listener(pid, connection.laddr.ip.removeprefix("::ffff:"), connection.laddr.port)
        for connection in connections
        if connection.status == psutil.CONN_LISTEN
    ]
