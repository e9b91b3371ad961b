"""Tells when a file was written to. Linux tells by itself; elsewhere its size is looked at."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

_MODIFIED: Final = 0x2
"""IN_MODIFY, inotify(7)."""

_EVENTS_BYTES: Final = 4096
_PAUSE_S: Final = 0.2


@asynccontextmanager
async def growth_of(path: Path) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Yields what returns once the file was written to since the last time, or since the start.

    The file has to be there, and must not be replaced by another one.
    """
    descriptor = _watch(path) if sys.platform == "linux" else None
    if descriptor is None:
        yield _Size(path).wait
        return
    loop = asyncio.get_running_loop()
    written = asyncio.Event()

    def hear() -> None:
        os.read(descriptor, _EVENTS_BYTES)
        written.set()

    async def wait() -> None:
        await written.wait()
        written.clear()

    loop.add_reader(descriptor, hear)
    try:
        yield wait
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _watch(path: Path) -> int | None:
    """An inotify descriptor; None where the machine has no more of them to give."""
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if descriptor < 0:
        return None
    if libc.inotify_add_watch(descriptor, os.fsencode(path), _MODIFIED) < 0:
        os.close(descriptor)
        return None
    return descriptor


class _Size:
    """The size of a file, looked at from time to time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = path.stat().st_size

    async def wait(self) -> None:
        while (size := self._path.stat().st_size) == self._seen:
            await asyncio.sleep(_PAUSE_S)
        self._seen = size
