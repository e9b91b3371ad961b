"""The door to a shim: a unix socket on which clients hear its state and give it orders.

Both ways in lines of JSON. Standard library only.
"""

from __future__ import annotations

import json
import selectors
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.listening import listen

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

_ORDER_BYTES = 4096
"""The longest order; a client that sends more without an end is dropped."""


class Control:
    """Listens from the start; tells every client the state at once and at every change."""

    def __init__(self, path: str, selector: selectors.BaseSelector) -> None:
        self._path = Path(path)
        self._selector = selector
        self._heard: dict[socket.socket, bytes] = {}
        self._listening = _listen(self._path)
        self.state: Callable[[], dict[str, Any]] = dict
        """What clients are told."""
        self.obey: Callable[[dict[str, Any]], None] = lambda _: None
        """Takes what clients order."""
        selector.register(self._listening, selectors.EVENT_READ, self.accept)

    def tell(self) -> None:
        """Tells the present state to all."""
        for client in tuple(self._heard):
            self._send(client)

    def accept(self, _: object = None) -> None:
        """Takes in whoever waits at the door, and tells them the state."""
        with suppress(OSError):  # nobody waits any more, or there are too many open files
            while True:
                client, _ = self._listening.accept()
                client.setblocking(False)  # noqa: FBT003 - the socket's own interface
                self._heard[client] = b""
                self._selector.register(client, selectors.EVENT_READ, self._hear)
                self._send(client)

    def close(self) -> None:
        """Tells those who came last, and closes the door."""
        self.accept()
        for client in tuple(self._heard):
            self._drop(client)
        self._listening.close()
        self._path.unlink(missing_ok=True)

    def _hear(self, client: socket.socket) -> None:
        if client not in self._heard:
            return  # dropped since it was found to be ready
        try:
            chunk = client.recv(_ORDER_BYTES)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        *orders, self._heard[client] = (self._heard[client] + chunk).split(b"\n")
        if not chunk or len(self._heard[client]) > _ORDER_BYTES:
            self._drop(client)
        for order in orders:
            with suppress(ValueError, TypeError, KeyError):  # not an order
                self.obey(json.loads(order))

    def _send(self, client: socket.socket) -> None:
        try:
            client.sendall(json.dumps(self.state()).encode() + b"\n")
        except OSError:
            self._drop(client)  # gone, or too slow to wait for

    def _drop(self, client: socket.socket) -> None:
        if self._heard.pop(client, None) is not None:
            self._selector.unregister(client)
            client.close()


def _listen(path: Path) -> socket.socket:
    listening = listen(path)
    listening.setblocking(False)  # noqa: FBT003 - the socket's own interface
    return listening
