"""Something that listens at a unix socket and answers as an engine would, or as none would."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Answer = Any
"""Of one path: bytes as they are, a function of the connection, or what is sent as JSON."""

HERE = {"IPAM": {"Config": [{"Subnet": "127.0.0.0/8", "Gateway": "127.0.0.1"}]}}
ELSEWHERE = {"IPAM": {"Config": [{"Subnet": "192.0.2.0/24", "Gateway": "192.0.2.1"}]}}
"""A network that this machine has no address on: they are kept for documentation."""


def engine(
    *,
    version: str = "27.1.2",
    api: str = "1.46",
    oldest_api: str = "1.24",
    system: str = "linux",
    bridge: Answer = HERE,
    info: dict[str, Any] | None = None,
    component: str = "Engine",
) -> dict[str, Answer]:
    """The answers of an engine; every other path is not found."""
    about = {
        "Version": version,
        "ApiVersion": api,
        "MinAPIVersion": oldest_api,
        "Os": system,
        "Components": [{"Name": component, "Version": version}],
    }
    told = {"OSType": system, "OperatingSystem": "Debian GNU/Linux 12", "SecurityOptions": []}
    return {"/version": about, "/info": {**told, **(info or {})}, "/networks/bridge": bridge}


def http(status: str, body: bytes) -> bytes:
    """A whole answer."""
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


@contextmanager
def listening(path: Path, answers: dict[str, Answer]) -> Iterator[list[str]]:
    """Answers at a socket; gives the paths that were asked for, as they come."""
    asked: list[str] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        thread = threading.Thread(target=_serve, args=(server, answers, asked), daemon=True)
        thread.start()
        try:
            yield asked
        finally:
            # Closing alone would leave the thread in accept().
            server.shutdown(socket.SHUT_RDWR)
            thread.join(5)
    path.unlink()


def _serve(server: socket.socket, answers: dict[str, Answer], asked: list[str]) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection, suppress(OSError):
            path = connection.recv(1 << 16).decode().split(" ")[1]
            asked.append(path)
            bare = "/" + path.split("/", 2)[2] if path.startswith("/v1.") else path
            _answer(connection, answers.get(bare, http("404 Not Found", b"{}")))


def _answer(connection: socket.socket, answer: Answer) -> None:
    if callable(answer):
        reply: Callable[[socket.socket], None] = answer
        reply(connection)
    elif isinstance(answer, bytes):
        connection.sendall(answer)
    else:
        connection.sendall(http("200 OK", json.dumps(answer).encode()))


def hang(connection: socket.socket) -> None:
    """Says nothing until the other side gives up."""
    connection.recv(1)


def trickle(connection: socket.socket) -> None:
    """Sends a byte now and then, so that no single read ever waits for long."""
    connection.settimeout(0.05)
    for byte in b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 1000:
        connection.sendall(bytes([byte]))
        with suppress(TimeoutError):
            if not connection.recv(1):
                return
