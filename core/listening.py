"""Unix sockets that only their owner can connect to. Standard library only: shims use it, too."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def listen(path: Path) -> socket.socket:
    """Listens at a path, also where one that is gone has left its socket."""
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listening.bind(str(path))
    finally:
        os.umask(before)
    listening.listen(128)
    return listening
