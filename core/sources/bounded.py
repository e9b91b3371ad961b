"""An archive of which no more is read than there can be, where somebody else decides how much."""

from __future__ import annotations

import tarfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADERS_BYTES: Final = 16 * 1024
"""For one entry of an archive: its path and where it leads have 4 KiB each at most."""


class Bounded:
    """A file for the library, which reads headers whole, however long they say that they are.

    It also reads headers within headers, lists of the parts of a sparse file, and takes the square
    of the length of a header in which nothing but digits is (CVE-2024-6232).
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left: int | None = _HEADERS_BYTES

    @contextmanager
    def content(self) -> Iterator[None]:
        """What is read in a block is the content of an entry; behind it is another entry."""
        self._left = None
        try:
            yield
        finally:
            self._left = _HEADERS_BYTES

    def read(self, size: int = -1) -> bytes:
        """Reads on.

        Raises:
            ReadError: it is more than the headers of one entry can have.
        """
        if self._left is not None:
            self._left -= size
            if size < 0 or self._left < 0:
                raise tarfile.ReadError("a header is too long")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Goes elsewhere."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Where it is."""
        return self._file.tell()
