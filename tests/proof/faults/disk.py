"""A disk of its own for a home folder, which hangs when a test wants it to."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import subprocess
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

_SIZE_BYTES: Final = 128 * 1024 * 1024
_FREEZE: Final = 0xC0045877
"""FIFREEZE and FITHAW of linux/fs.h: from now on every write waits, and so does every fsync."""
_THAW: Final = 0xC0045878


class Disk:
    """A file system that is mounted on a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._descriptor = os.open(folder, os.O_RDONLY)

    @asynccontextmanager
    async def hanging(self) -> AsyncIterator[None]:
        """Whoever writes waits, and cannot even be killed, for as long as the block runs."""
        # What is not on the disk yet is written first, which may take a while.
        await asyncio.to_thread(fcntl.ioctl, self._descriptor, _FREEZE, 0)
        try:
            yield
        finally:
            self.recover()

    def recover(self) -> None:
        """It goes on where it was; nothing where it does not hang."""
        with suppress(OSError):
            fcntl.ioctl(self._descriptor, _THAW, 0)

    def close(self) -> None:
        """Lets it be unmounted."""
        self.recover()
        os.close(self._descriptor)


@contextmanager
def disk(folder: Path) -> Iterator[Disk]:
    """A small disk for as long as the block runs; skips the test where none can be mounted."""
    image = folder / "disk.img"
    mounted = folder / "disk"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(_SIZE_BYTES)
    made = ("mkfs.ext4", "-q", "-F", str(image)), ("mount", "-o", "loop", str(image), str(mounted))
    for command in made:
        program = shutil.which(command[0], path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        if not program or subprocess.run([program, *command[1:]], check=False).returncode != 0:
            pytest.skip("a disk of its own can only be mounted by root, with loop devices")
    found = Disk(mounted)
    try:
        yield found
    finally:
        found.close()
        subprocess.run(["umount", "-l", str(mounted)], check=True)
