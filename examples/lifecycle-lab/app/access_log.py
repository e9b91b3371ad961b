"""The file in which a test finds what every instance of the lab did, and when."""

from __future__ import annotations

import json
import os
import time


class AccessLog:
    """Appends lines of JSON; without a path it forgets them.

    Every instance of every version appends to the same file: one write per line with O_APPEND
    keeps the lines whole.
    """

    def __init__(self, path: str, **identity: object) -> None:
        self._identity = identity
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._descriptor = os.open(path, flags, 0o644) if path else None

    def write(self, event: str, **details: object) -> None:
        """Append one line; times are seconds since the epoch."""
        if self._descriptor is not None:
            line = {"event": event, "time": time.time(), **self._identity, **details}
            os.write(self._descriptor, json.dumps(line).encode() + b"\n")
