"""A feed that writes down what it passes on."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, BinaryIO, Final

from core.ending import single_error
from core.errors import Conflict
from tui.feed.messages import Ended
from tui.feed.recording import Entry, Header

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from tui.feed.messages import Feed, Message, Take

_FLUSH_S: Final = 1.0
_PENDING_LIMIT: Final = 64 * 1024 * 1024
"""Characters that wait for the disk; one that is slower than that ends the recording."""


def create(path: Path) -> BinaryIO:
    """The file of a new recording, for its owner only: logs may hold secrets.

    Raises:
        Conflict: there is one already.
        OSError: it cannot be made.
    """
    try:
        return open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600))
    except FileExistsError:
        raise Conflict(
            f"{path} exists already, and a recording overwrites nothing", hint="name another file"
        ) from None


class Recorder:
    """Passes on every message of a feed, and appends it to a file.

    A file that cannot be written any more ends the recording, with one warning, and nothing else.

    Raises:
        OSError: not even its beginning can be written.
    """

    def __init__(self, feed: Feed, file: BinaryIO, project: str, environment: str) -> None:
        self.warn: Callable[[str], object] = lambda _: None
        """Called once, on the loop, when the recording ends early."""
        self._feed = feed
        self._file = file
        self._began = monotonic()
        self._pending: deque[str] = deque()
        self._pending_size = 0
        self._writing = threading.Lock()
        self._is_over = False
        self._append(json.dumps(Header(project, environment, feed.now()).as_json()))
        self._write()

    def now(self) -> datetime:
        """The time of the feed."""
        return self._feed.now()

    async def run(self, take: Take) -> None:
        """Hands over every message until cancelled; then the file is complete."""

        def note(message: Message) -> None:
            if not isinstance(message, Ended):
                self._note(message)
            take(message)

        try:
            with single_error():
                async with asyncio.TaskGroup() as tasks:
                    flushing = tasks.create_task(self._flush_often())
                    await self._feed.run(note)
                    flushing.cancel()
        finally:
            self._close()

    def _note(self, message: Message) -> None:
        if self._is_over:
            return
        entry = Entry(monotonic() - self._began, message)
        self._append(json.dumps(entry.as_json(), separators=(",", ":")))
        if self._pending_size > _PENDING_LIMIT:
            self._end("the disk is too slow")

    def _append(self, line: str) -> None:
        self._pending.append(line + "\n")
        self._pending_size += len(line)

    async def _flush_often(self) -> None:
        while not self._is_over:
            await asyncio.sleep(_FLUSH_S)
            try:
                # A disk may take its time, and the screen must not wait for it.
                await asyncio.to_thread(self._write)
            except OSError as error:
                self._end(error.strerror or str(error))

    def _write(self) -> None:
        """Writes what is pending; one thread at a time, so that lines stay in their order."""
        with self._writing:
            lines = []
            while self._pending:
                lines.append(self._pending.popleft())
            self._pending_size = 0
            self._file.write("".join(lines).encode())
            self._file.flush()

    def _end(self, why: str) -> None:
        self._is_over = True
        self._pending.clear()
        self.warn(f"the recording {self._file.name} ends here: {why}")

    def _close(self) -> None:
        if not self._is_over:
            try:
                self._write()
            except OSError as error:
                self._end(error.strerror or str(error))
        # What the file still buffers is what could not be written.
        with suppress(OSError):
            self._file.close()
