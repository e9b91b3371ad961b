"""Whether reading stays reading: Python tells of every file it opens and program it starts."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHANGES = frozenset({
    *("os.chmod", "os.chown", "os.link", "os.mkdir", "os.mkfifo", "os.mknod", "os.remove"),
    *("os.rename", "os.rmdir", "os.symlink", "os.truncate", "os.utime", "os.setxattr"),
    *("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system"),
    *("subprocess.Popen", "socket.connect", "socket.bind", "shutil.rmtree", "pty.spawn"),
})  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_NOT_MEANT = ("__pycache__", "/proc/self/")
"""Modules that are imported for the first time are compiled; the measuring asks the kernel."""

_seen: list[str] | None = None
"""What was changed in the block that is watched; None while none is."""


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _seen is None:
        return
    is_writing = event == "open" and bool((arguments[2] or 0) & _WRITING)
    if (is_writing or event in _CHANGES) and not any(each in str(arguments) for each in _NOT_MEANT):
        _seen.append(f"{event} {arguments}")


sys.addaudithook(_hook)  # it cannot be taken away again, and does nothing outside of a block


@contextmanager
def untouched() -> Iterator[None]:
    """Fails when anything but reading is done in a block."""
    global _seen
    seen: list[str] = []
    _seen = seen
    try:
        yield
    finally:
        _seen = None
    assert not seen, seen
