"""A folder as the archive that the engine's builder takes."""

from __future__ import annotations

import asyncio
import io
import os
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

_CHUNK_BYTES = 1024**2


def pack(folder: Path, target: Path, added: Mapping[str, bytes]) -> None:
    """Writes the files of a folder, and those that are added to them or replace some, to `target`.

    Owners and modes do not depend on this machine. Blocking.
    """
    with tarfile.open(target, "w", format=tarfile.GNU_FORMAT, errors="surrogateescape") as archive:
        for parent, folders, names in os.walk(folder):
            inside = os.path.relpath(parent, folder)
            for name in sorted([*folders, *names]):
                path = os.path.normpath(f"{inside}/{name}")
                if path not in added:
                    _add(archive, f"{parent}/{name}", path)
        for path, content in added.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


async def chunks(path: Path) -> AsyncIterator[bytes]:
    """The content of a file, read by threads."""
    with path.open("rb", buffering=0) as file:
        while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
            yield chunk


def _add(archive: tarfile.TarFile, source: str, path: str) -> None:
    entry = archive.gettarinfo(source, arcname=path)
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    if not entry.isreg():
        archive.addfile(entry)
        return
    with open(source, "rb") as file:  # noqa: PTH123  a path that may not be text
        archive.addfile(entry, file)
