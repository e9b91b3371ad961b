"""One log file that is read as it grows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiofiles.threadpool import wrap

from core.lines import part
from core.logs.files import open_parts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from core.logs.files import Part

_READ_BYTES = 1024 * 1024


class Tail:
    """How far one log file has been read.

    The part that is being read is held open: so it can be read to its end after it was renamed or
    even deleted, and no other file can take its inode number.
    """

    def __init__(self, path: Path) -> None:
        self.is_deleted = False
        """Whether the file is gone with all its parts, and closed."""
        self._path = path
        self._part: Part | None = None
        self._inode = 0
        self._at = 0
        self._rest = b""
        self._is_rotated = False

    def begin(self) -> list[Part]:
        """Opens all parts, to go on where the newest ends; the caller closes the older ones."""
        parts = open_parts(self._path)
        if parts:
            self._take(parts[0], parts[0].end)
        return parts

    def has_news(self, *, is_wanted: bool) -> bool:
        """Whether there is something to read; one that has nothing and is not wanted is closed."""
        if self._part is None and is_wanted:
            self._resume()
        if self._part is None:
            return False
        try:
            found = self._path.stat()
        except FileNotFoundError:
            if not part(self._path, 1).exists():  # else it is just being rotated
                self.is_deleted = True
                self.close()
            return False
        self._is_rotated = found.st_ino != self._inode
        has_news = self._is_rotated or found.st_size > self._at
        if not has_news and not is_wanted:
            self.close()
        return has_news

    async def read(self) -> tuple[list[bytes], bool]:
        """Whole lines that have been added, and whether there may be more right now."""
        chunk = await self._read_on()
        if not chunk and self._is_rotated:  # what has been renamed is not written to any more
            self._move_on()
            chunk = await self._read_on()
        self._at += len(chunk)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return lines, self._is_rotated or len(chunk) == _READ_BYTES

    def close(self) -> None:
        """Closes the file, and keeps in mind how far its lines have been read."""
        if self._part is not None:
            self._part.file.close()
            self._part = None
            self._at -= len(self._rest)
            self._rest = b""

    async def _read_on(self) -> bytes:
        assert self._part is not None
        chunk: bytes = await wrap(self._part.file).read(_READ_BYTES)
        return chunk

    def _move_on(self) -> None:
        """To the part that was begun next; to the oldest if ours is no longer kept."""
        parts = open_parts(self._path)
        inodes = [each.inode for each in parts]
        ours = inodes.index(self._inode) if self._inode in inodes else len(parts)
        self._take_one(parts, parts[ours - 1] if ours else None, 0)

    def _resume(self) -> None:
        """Where it was closed; at the oldest part if ours is no longer kept."""
        parts = open_parts(self._path)
        for each in parts:
            if each.inode == self._inode and each.end >= self._at:
                self._take_one(parts, each, self._at)
                return
        self._take_one(parts, parts[-1] if parts else None, 0)

    def _take_one(self, parts: Sequence[Part], chosen: Part | None, at: int) -> None:
        for each in parts:
            if each is not chosen:
                each.file.close()
        if chosen is not None:
            self.close()
            self._take(chosen, at)

    def _take(self, taken: Part, at: int) -> None:
        taken.file.seek(at)
        self._part, self._inode, self._at, self._rest = taken, taken.inode, at, b""
