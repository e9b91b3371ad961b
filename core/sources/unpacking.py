"""Unpacking an archive that somebody else made: it can hold anything."""

from __future__ import annotations

import hashlib
import os
import tarfile
from typing import IO, TYPE_CHECKING, cast

from core.engines.source.walk import Kind, shown
from core.errors import UsageError
from core.sources.bounded import Bounded
from core.sources.links import is_within
from core.sources.listing import MOST_FILES, Item

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_CHUNK_BYTES = 1024**2
_SHOWN = 200
"""How much of a path is told."""


class _Refused(UsageError):
    def __init__(self, path: str, why: str) -> None:
        told = shown(path[:_SHOWN])
        super().__init__(f"{told} in the source that was sent {why}", code="bad_source")


def unpack(archive: Path, target: Path, limit_bytes: int) -> list[Item]:
    """Unpacks an archive into a folder, which is made and must not exist. Blocking.

    Returns what was really written. Part of it may be left where it fails.

    Raises:
        UsageError: it is no such archive, is too large, or holds what may not be in a source:
            absolute paths, `..`, links that lead out, hard links, devices, a path twice, too many
            files.
        OSError: the disk does not take it.
    """
    target.mkdir(mode=0o700)
    items: list[Item] = []
    links: dict[str, str] = {}
    left = limit_bytes
    try:
        with archive.open("rb") as file:
            for info, content in _entries(Bounded(file)):
                _check_path(info.name)
                left -= info.size
                # A negative size would make room, and have the library read in circles.
                if left < 0 or info.size < 0:
                    raise UsageError("the source that was sent is larger than what is taken here")
                if len(items) + len(links) >= MOST_FILES:
                    raise UsageError(f"the source that was sent has more than {MOST_FILES:,} files")
                if info.issym():
                    links[info.name] = info.linkname
                elif content is None:
                    raise _Refused(info.name, "is neither a file nor a symbolic link")
                else:
                    items.append(_write(target, info, content))
        # Last: through a link that is there already, a file could be written elsewhere.
        return [*items, *_make_links(target, links)]
    except (tarfile.TarError, ValueError, EOFError, OverflowError) as error:
        raise UsageError(f"what was sent is no whole archive: {error}") from error


def _entries(archive: Bounded) -> Iterator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    """What an archive holds, with the content of what is a file."""
    file = cast("IO[bytes]", archive)  # as far as it is read
    with tarfile.open(fileobj=file, mode="r:", errors="surrogateescape", encoding="utf-8") as tar:
        while (info := tar.next()) is not None:
            with archive.content():
                yield info, tar.extractfile(info) if info.isreg() else None
            # Else the library keeps every entry there was.
            tar.members.clear()  # type: ignore[attr-defined]  # typeshed does not know it


def _check_path(path: str) -> None:
    if any(part in ("", ".", "..") for part in path.split("/")):
        raise _Refused(path, "is no path within a folder")


def _write(target: Path, info: tarfile.TarInfo, content: IO[bytes]) -> Item:
    at = target / info.name
    _make_parents(target, info.name)
    kind = Kind.EXECUTABLE if info.mode & 0o100 else Kind.FILE
    item = Item(info.name, kind, is_private=not info.mode & 0o077, digest="")
    whole = hashlib.sha256()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        descriptor = os.open(at, flags, 0o600)
    except (FileExistsError, IsADirectoryError):
        raise _Refused(info.name, "is there twice") from None
    with os.fdopen(descriptor, "wb") as file:
        while chunk := content.read(_CHUNK_BYTES):
            whole.update(chunk)
            file.write(chunk)
        os.fchmod(file.fileno(), item.mode)
    os.utime(at, (info.mtime, info.mtime))
    return Item(item.path, kind, item.is_private, whole.hexdigest())


def _make_parents(target: Path, path: str) -> None:
    """Makes the folders above a file; readable, because a container may run as anybody."""
    folder = target
    for part in path.split("/")[:-1]:
        folder /= part
        try:
            folder.mkdir()
            folder.chmod(0o755)
        except FileExistsError:
            if not folder.is_dir():
                raise _Refused(path, "is below a file") from None


def _make_links(target: Path, links: dict[str, str]) -> Iterable[Item]:
    for path, leads_to in links.items():
        _make_parents(target, path)
        try:
            os.symlink(leads_to, target / path)  # noqa: PTH211 - the text as it stands
        except FileExistsError:
            raise _Refused(path, "is there twice") from None
    for path, leads_to in links.items():
        if not is_within(target, path, leads_to):
            raise _Refused(path, f"is a link that leads out, to {shown(leads_to)}")
        digest = hashlib.sha256(os.fsencode(leads_to)).hexdigest()
        yield Item(path, Kind.LINK, is_private=False, digest=digest)
