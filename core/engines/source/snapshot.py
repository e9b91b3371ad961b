"""The source of a service at one moment: which files, and one digest over all of them.

Plain blocking functions: they read whole trees and belong in a thread.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.engines.source.walk import Found, Kind, ignore_file, shown, unreadable, walk
from core.errors import CompartmentError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.engines.source.walk import LeftOut

LIMIT_BYTES = 1024**3
_CHUNK_BYTES = 1024**2


class SourceChanged(CompartmentError):
    """A file is no longer what it was when the snapshot was taken."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or link; `path` is relative, with undecodable bytes kept as surrogates."""

    path: str
    kind: Kind
    size_bytes: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files of a folder, sorted by the bytes of their paths; empty folders do not count."""

    root: Path
    repository: Path | None
    files: tuple[Entry, ...]
    digest: str
    size_bytes: int
    limit_bytes: int = LIMIT_BYTES


def fingerprint(
    root: Path,
    repository: Path | None,
    limit_bytes: int = LIMIT_BYTES,
    left_out: LeftOut | None = None,
) -> Snapshot:
    """Reads every file of the folder that nothing leaves out.

    Args:
        root: The folder of the service.
        repository: The folder at or above it down from which `.gitignore` files count; None where
            they do not.
        limit_bytes: How much the files may hold together.
        left_out: What does not count besides.

    Raises:
        ConfigError: No such folder, too much in it, an unreadable file, or a link that leads out.
    """
    root, repository = root.resolve(), repository and repository.resolve()
    if not root.is_dir():
        raise ConfigError(f"{root} is not a folder", hint="correct the service's path")
    found = sorted(walk(root, repository, left_out), key=lambda file: os.fsencode(file.path))
    named = ignore_file(repository)
    _check_size(root, found, limit_bytes, named)
    files = tuple(entry for file in found if (entry := _read(root, file, named)) is not None)
    whole = hashlib.sha256()
    for entry in files:
        name = os.fsencode(entry.path)
        whole.update(b"%d:%b%b%b" % (len(name), name, entry.kind.value, entry.digest))
    size_bytes = sum(entry.size_bytes for entry in files)
    return Snapshot(root, repository, files, whole.hexdigest(), size_bytes, limit_bytes)


def copy_to(snapshot: Snapshot, target: Path) -> None:
    """Copies the files into `target`, which is made and must not exist.

    Raises:
        SourceChanged: A file differs from the snapshot; what was copied is left to the caller.
        OSError: The target cannot be written.
    """
    target.mkdir(parents=True)
    made = {""}
    for entry in snapshot.files:
        folder = entry.path.rpartition("/")[0]
        if folder not in made:
            (target / folder).mkdir(parents=True, exist_ok=True)
            made.add(folder)
        if _copy(entry, f"{snapshot.root}/{entry.path}", f"{target}/{entry.path}") != entry.digest:
            raise _changed(entry)


def _check_size(root: Path, found: list[Found], limit_bytes: int, ignore_file: str) -> None:
    total = sum(file.size_bytes for file in found)
    if total <= limit_bytes:
        return
    by_top: dict[str, int] = {}
    for file in found:
        top = file.path.split("/", 1)[0]
        by_top[top] = by_top.get(top, 0) + file.size_bytes
    largest = max(by_top, key=lambda top: by_top[top])
    raise ConfigError(
        f"the source in {shown(str(root))} is {_mebibytes(total)}, more than the limit of"
        f" {_mebibytes(limit_bytes)}; {shown(largest)} alone is {_mebibytes(by_top[largest])}",
        hint=f"list what the service does not need in {ignore_file}",
    )


def _read(root: Path, file: Found, ignore_file: str) -> Entry | None:
    """The entry with its digest; None when it was deleted in the meantime."""
    source = f"{root}/{file.path}"
    try:
        if file.kind is Kind.LINK:
            return Entry(file.path, file.kind, 0, _digest_of_link(root, file.path, ignore_file))
        whole, size_bytes = hashlib.sha256(), 0
        for chunk in _chunks(source):
            whole.update(chunk)
            size_bytes += len(chunk)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(file.path, error, ignore_file) from error
    return Entry(file.path, file.kind, size_bytes, whole.digest())


def _digest_of_link(root: Path, path: str, ignore_file: str) -> bytes:
    target = os.readlink(f"{root}/{path}")  # noqa: PTH115  the text as it stands, not a normalised path
    within = os.path.normpath(f"{path.rpartition('/')[0] or '.'}/{target}")
    real = os.path.realpath(f"{root}/{path}")
    is_inside = real == str(root) or real.startswith(f"{root}/")
    if target.startswith("/") or within.split("/", 1)[0] == ".." or not is_inside:
        raise ConfigError(
            f"{shown(path)} is a link that leads out of the service's folder, to {shown(target)}",
            hint="replace it by a relative link inside the folder or by the file itself,"
            f" or list it in {ignore_file}",
        )
    return hashlib.sha256(os.fsencode(target)).digest()


def _copy(entry: Entry, source: str, target: str) -> bytes:
    """Copies one entry and returns the digest of what was written."""
    try:
        if entry.kind is Kind.LINK:
            link = os.readlink(source)  # noqa: PTH115
            os.symlink(link, target)  # noqa: PTH211
            return hashlib.sha256(os.fsencode(link)).digest()
        chunks = _chunks(source)
        chunk = next(chunks, b"")
    except OSError as error:
        raise _changed(entry) from error
    mode = 0o755 if entry.kind is Kind.EXECUTABLE else 0o644
    whole = hashlib.sha256()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        while chunk:
            whole.update(chunk)
            file.write(chunk)
            chunk = next(chunks, b"")
    return whole.digest()


def _chunks(source: str) -> Iterator[bytes]:
    # Without O_NONBLOCK a pipe that took the file's place would block us for ever.
    descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        while chunk := os.read(descriptor, _CHUNK_BYTES):
            yield chunk
    finally:
        os.close(descriptor)


def _changed(entry: Entry) -> SourceChanged:
    return SourceChanged(
        f"{shown(entry.path)} changed while it was being copied",
        hint="stop what writes there, or list it in .gitignore or .dockerignore",
    )


def _mebibytes(size_bytes: int) -> str:
    return f"{size_bytes / 1024**2:,.1f} MiB"
