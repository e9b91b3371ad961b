"""What systemd is told of the agent: sd_notify(3), a few lines over a socket."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import Final

VARIABLE: Final = "NOTIFY_SOCKET"


class Notifier:
    """Tells a service manager how the agent is; tells nobody where none has started it."""

    def __init__(self) -> None:
        # Not passed on: nothing that the agent starts speaks for it.
        named = os.environ.pop(VARIABLE, "")
        # One that begins with @ has no file (unix(7), abstract).
        self._address = f"\0{named[1:]}" if named.startswith("@") else named

    def ready(self) -> None:
        """All that was live is served."""
        self._tell("READY=1\nSTATUS=everything that was live is served")

    def stopping(self) -> None:
        """The agent ends because it was told to."""
        self._tell("STOPPING=1")

    def status(self, words: str) -> None:
        """What goes on, for `systemctl status`: one line."""
        self._tell(f"STATUS={words}")

    def _tell(self, what: str) -> None:
        if not self._address:
            return
        # Who does not listen any more has no use for it.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(what.encode(), self._address)
