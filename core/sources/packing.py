"""A source as it travels: a listing first, then, if the other side lacks it, a tar archive."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
import tarfile
from typing import TYPE_CHECKING

from core.engines.source.snapshot import SourceChanged
from core.engines.source.walk import Kind, shown, unreadable
from core.sources.listing import Item, Listing, listing_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from core.sources.collecting import Collected

_CHUNK_BYTES = 1024**2


def list_files(collected: Collected) -> Listing:
    """Reads every file that was collected; one that is gone meanwhile is left out. Blocking.

    Raises:
        ConfigError: a file cannot be read.
    """
    found = (_item(collected.root, path) for path in collected.sizes)
    items = [item for item in found if item is not None]
    return listing_of(items, tuple(collected.writable))


def _item(root: Path, path: str) -> Item | None:
    at = f"{root}/{path}"
    try:
        status = os.lstat(at)
        if stat.S_ISLNK(status.st_mode) and not os.path.isfile(at):  # noqa: PTH113 - never raises
            return Item(path, Kind.LINK, is_private=False, digest=_digest(_link(at)))
        with open(at, "rb") as file:  # noqa: PTH123 - a path that may not be text
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            mode = os.fstat(file.fileno()).st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(path, error) from error
    kind = Kind.EXECUTABLE if mode & stat.S_IXUSR else Kind.FILE
    return Item(path, kind, is_private=not mode & 0o077, digest=digest)


def _link(at: str) -> bytes:
    return os.fsencode(os.readlink(at))  # noqa: PTH115 - the text as it stands


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def pack(root: Path, listing: Listing) -> AsyncIterator[bytes]:
    """The files of a listing as a tar archive, in parts.

    Raises:
        SourceChanged: a file is not any more what was listed.
    """
    for item in listing.items:
        parts = _entry(root, item)
        while chunk := await asyncio.to_thread(next, parts, b""):
            yield chunk
    yield b"\0" * tarfile.RECORDSIZE


def _entry(root: Path, item: Item) -> Iterator[bytes]:
    at = f"{root}/{item.path}"
    info = tarfile.TarInfo(item.path)
    info.mode = item.mode
    try:
        if item.kind is Kind.LINK:
            info.type, info.linkname = tarfile.SYMTYPE, os.fsdecode(_link(at))
            yield _head(info)
            return
        with open(at, "rb") as file:  # noqa: PTH123
            status = os.fstat(file.fileno())
            info.size, info.mtime = status.st_size, int(status.st_mtime)
            yield _head(info)
            left = info.size
            while chunk := file.read(min(_CHUNK_BYTES, left)):
                left -= len(chunk)
                yield chunk
            # What was appended meanwhile is not read; the digest tells the rest.
            if left:
                raise _changed(item)
            yield b"\0" * (-info.size % tarfile.BLOCKSIZE)
    except OSError as error:
        raise _changed(item) from error


def _head(info: tarfile.TarInfo) -> bytes:
    return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _changed(item: Item) -> SourceChanged:
    return SourceChanged(
        f"{shown(item.path)} changed while it was sent",
        hint="stop what writes there, or list it in .gitignore or .dockerignore",
    )
