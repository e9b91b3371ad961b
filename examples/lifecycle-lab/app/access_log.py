"""The file in which a test finds what every instance of the lab did, and when."""

from __future__ import annotations

import json
import os
import socket
import time

TCP = "tcp://"


class AccessLog:
    """Appends lines of JSON to a file, or sends them to `tcp://HOST:PORT`, or forgets them.

    Every instance of every version appends to the same file: one write per line with O_APPEND
    keeps the lines whole. What was sent arrives even if the instance is killed right after it.
    """

    def __init__(self, where: str, **identity: object) -> None:
        self._identity = identity
        self._descriptor = open_log(where) if where else None

    def write(self, event: str, **details: object) -> None:
        """Append one line; times are seconds since the epoch."""
        if self._descriptor is not None:
            line = {"event": event, "time": time.time(), **self._identity, **details}
            os.write(self._descriptor, json.dumps(line).encode() + b"\n")


def open_log(where: str) -> int:
    """Open the file, or connect."""
    if not where.startswith(TCP):
        return os.open(where, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    host, _, port = where.removeprefix(TCP).rpartition(":")
    return socket.create_connection((host, int(port))).detach()
