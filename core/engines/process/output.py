"""What a service prints: read from its pipes, stamped, kept. Standard library only."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from core.lines import Line, LineSplitter, RotatingFile, stamp
from core.model import Stream

if TYPE_CHECKING:
    from core.engines.process.child import Child
    from core.secrets import Mask

_CHUNK_BYTES = 256 * 1024
_IDLE_S = 1.0
"""A line without its end is kept when nothing has followed for so long."""

_DRAIN_S = 0.5
"""How long what is left is read after the end, in case a stranger holds a pipe open."""


class _Pipe:
    """One of the two streams of a service."""

    def __init__(self, stream: Stream, mask: Mask) -> None:
        self.stream = stream
        self.splitter = LineSplitter(mask)
        self.read_at = 0.0


class Output:
    """The output of one start of the service; it owns the reading ends of the pipes.

    What the mask hides is not kept.
    """

    def __init__(self, child: Child, log: RotatingFile, mask: Mask) -> None:
        self._log = log
        self._pipes = {
            child.stdout: _Pipe(Stream.STDOUT, mask),
            child.stderr: _Pipe(Stream.STDERR, mask),
        }

    @property
    def pipes(self) -> list[int]:
        """The pipes that are still open."""
        return list(self._pipes)

    @property
    def due(self) -> float | None:
        """When `keep_idle_lines` has something to do, by the monotonic clock."""
        begun = [pipe.read_at for pipe in self._pipes.values() if pipe.splitter.is_pending]
        return min(begun) + _IDLE_S if begun else None

    def read(self, number: int) -> bool:
        """Keeps what has arrived; False if that was the end of the pipe, which is closed then."""
        return self._receive(number) != b""

    def keep_idle_lines(self, now: float) -> None:
        """Keeps lines without an end, such as a prompt, once they have been idle."""
        for pipe in self._pipes.values():
            if now - pipe.read_at >= _IDLE_S:
                self._keep(pipe, pipe.splitter.flush())

    def drain(self) -> None:
        """Keeps what is left after the end and closes the pipes."""
        deadline = time.monotonic() + _DRAIN_S
        for number in self.pipes:
            while self._receive(number) and time.monotonic() < deadline:
                pass
            if number in self._pipes:
                self._close(number)

    def _receive(self, number: int) -> bytes | None:
        """What has arrived, kept already: None is nothing yet, empty is the end."""
        try:
            chunk = os.read(number, _CHUNK_BYTES)
        except BlockingIOError:
            return None
        pipe = self._pipes[number]
        pipe.read_at = time.monotonic()
        self._keep(pipe, pipe.splitter.feed(chunk))
        if not chunk:
            self._close(number)
        return chunk

    def _close(self, number: int) -> None:
        pipe = self._pipes.pop(number)
        self._keep(pipe, pipe.splitter.flush())
        os.close(number)

    def _keep(self, pipe: _Pipe, texts: list[str]) -> None:
        if texts:
            at = stamp()
            self._log.append([Line(at, pipe.stream, text) for text in texts])
