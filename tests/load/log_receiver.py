"""Takes the access log of instances that cannot write to a file of this machine."""

from __future__ import annotations

import os
import selectors
import socket
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK_BYTES = 64 * 1024


class LogReceiver:
    """Listens at an address, and appends every line that arrives to a file.

    On a thread of its own, so that no sender waits while a test is busy.
    """

    def __init__(self, address: str, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._listener = socket.create_server((address, 0))
        self._listener.setblocking(False)
        self._begun: dict[socket.socket, bytes] = {}
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._lock = threading.Lock()
        self._woken, self._wake = os.pipe()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="log receiver")
        self._thread.start()

    @property
    def url(self) -> str:
        """What the lab's LAB_ACCESS_LOG is to be."""
        address, port = self._listener.getsockname()
        return f"tcp://{address}:{port}"

    def catch_up(self) -> None:
        """Returns when all that has arrived so far is in the file.

        A line is sent before its request is answered: who has the answer finds the line.
        """
        with self._lock:
            while self._take():
                pass

    def close(self) -> None:
        """Ends everything."""
        os.write(self._wake, b"x")
        self._thread.join()
        self._selector.close()
        for connection in (self._listener, *self._begun):
            connection.close()
        self._file.close()
        os.close(self._wake)
        os.close(self._woken)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while True:
            if any(key.fd == self._woken for key, _ in self._selector.select()):
                return
            self.catch_up()

    def _take(self) -> bool:
        """Takes what is there now; says whether there was anything."""
        ready = [key for key, _ in self._selector.select(0) if key.fd != self._woken]
        for key in ready:
            key.data(key.fileobj)
        return bool(ready)

    def _accept(self, listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.setblocking(False)
        self._begun[connection] = b""
        self._selector.register(connection, selectors.EVENT_READ, self._receive)

    def _receive(self, connection: socket.socket) -> None:
        try:
            chunk = connection.recv(_CHUNK_BYTES)
        except ConnectionError:
            chunk = b""
        if not chunk:
            self._selector.unregister(connection)
            connection.close()
            del self._begun[connection]
            return
        lines, newline, rest = (self._begun[connection] + chunk).rpartition(b"\n")
        self._file.write(lines + newline)
        self._begun[connection] = rest
