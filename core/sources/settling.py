"""Bringing the folder of a source to what was sent last, without touching what is a service's.

A container may write where it is bound, and what it leaves there may be a trap: a folder that was
replaced by a link must not make us write elsewhere. So every step of a path is opened by itself,
and none is a link.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from core.sources.listing import is_below

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.sources.listing import Item, Listing

Stamp = tuple[int, int, int]
"""Kind and permissions, size in bytes and time of change in nanoseconds."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

_FOLDER_MODE = 0o755
"""A container may run as anybody; the home around it is private."""


def settle(
    settled: Path, sent: Path, listing: Listing, before: Listing, stamps: dict[str, Stamp]
) -> dict[str, Stamp]:
    """Moves what differs from `sent` into `settled`, removes what is no more. Blocking.

    Args:
        settled: The folder of the source.
        sent: What was unpacked; it is used up.
        listing: What is in that.
        before: What was moved here the last time.
        stamps: How those files were left; a folder that services may write to is theirs as soon
            as anything in it is different.

    Returns:
        How the files are left now.
    """
    theirs = [
        folder
        for folder in {*listing.writable, *before.writable}
        if any(is_below(p, folder) and stamp_of(settled, p) != s for p, s in stamps.items())
    ]
    known = {item.path: item for item in before.items}
    wanted = {item.path: item for item in listing.items}
    for path in known.keys() - wanted.keys():
        if not _is_theirs(path, theirs):
            _remove(settled, path)
    found: dict[str, Stamp] = {}
    for path, item in wanted.items():
        if _is_theirs(path, theirs):
            if path in stamps:
                found[path] = stamps[path]
            continue
        if not _is_kept(settled, item, known.get(path), stamps):
            _move(sent, settled, path)
        stamp = stamp_of(settled, path)
        if stamp is not None:
            found[path] = stamp
    return found


def is_settled(settled: Path, listing: Listing, stamps: dict[str, Stamp]) -> bool:
    """Whether everything is as it was left, as far as it is not a service's to change."""
    return all(
        _is_theirs(item.path, listing.writable)
        or stamps.get(item.path, ()) == stamp_of(settled, item.path)
        for item in listing.items
    )


def stamp_of(root: Path, path: str) -> Stamp | None:
    """How a file is now; None if it is not there."""
    try:
        with _parent(root, path, make=False) as (folder, name):
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None
    return status.st_mode, status.st_size, status.st_mtime_ns


def _is_theirs(path: str, folders: list[str] | tuple[str, ...]) -> bool:
    return any(is_below(path, folder) for folder in folders)


def _is_kept(settled: Path, item: Item, before: Item | None, stamps: dict[str, Stamp]) -> bool:
    """Whether a file is there as it was moved here before."""
    stamp = stamp_of(settled, item.path)
    return before == item and stamp is not None and stamps.get(item.path) == stamp


def _move(sent: Path, settled: Path, path: str) -> None:
    with (
        _parent(sent, path, make=False) as (source, name),
        _parent(settled, path, make=True) as (target, _),
    ):
        try:
            os.rename(name, name, src_dir_fd=source, dst_dir_fd=target)
        except IsADirectoryError:
            _clear(target, name)
            os.rename(name, name, src_dir_fd=source, dst_dir_fd=target)


def _remove(settled: Path, path: str) -> None:
    """Removes a file, and the folders that are empty without it."""
    with suppress(OSError):
        with _parent(settled, path, make=False) as (folder, name):
            os.unlink(name, dir_fd=folder)
        while path := path.rpartition("/")[0]:
            with _parent(settled, path, make=False) as (folder, name):
                os.rmdir(name, dir_fd=folder)


@contextmanager
def _parent(root: Path, path: str, *, make: bool) -> Iterator[tuple[int, str]]:
    """The folder that a relative path is in, opened step by step, and the last part of the path."""
    *above, name = path.split("/")
    folder = os.open(root, _FOLDER)
    try:
        for part in above:
            if make:
                _make_folder(folder, part)
            inner = os.open(part, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
        yield folder, name
    finally:
        os.close(folder)


def _make_folder(parent: int, name: str) -> None:
    with suppress(FileNotFoundError):
        if stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            return
        os.unlink(name, dir_fd=parent)
    os.mkdir(name, dir_fd=parent)
    os.chmod(name, _FOLDER_MODE, dir_fd=parent)


def _clear(parent: int, name: str) -> None:
    """Removes a folder that stands where a file is to be, with everything in it."""
    folder = os.open(name, _FOLDER, dir_fd=parent)
    try:
        for each in os.listdir(folder):  # noqa: PTH208 - pathlib takes no descriptor
            if stat.S_ISDIR(os.stat(each, dir_fd=folder, follow_symlinks=False).st_mode):
                _clear(folder, each)
            else:
                os.unlink(each, dir_fd=folder)
    finally:
        os.close(folder)
    os.rmdir(name, dir_fd=parent)
