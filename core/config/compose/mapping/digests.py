"""What is in files and folders of a person that are bound into containers, as a digest.

It tells a change, such as an edited nginx.conf. What is large or written to by the service is left
out: it would cost a plan its second, or differ each time.
"""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FILE_BYTES = 8 * 1024 * 1024
_FOLDER_BYTES = 32 * 1024 * 1024
_FOLDER_FILES = 1_000


def digest_of(path: Path, *, is_read_only: bool) -> str | None:
    """Return the digest of a file, or of a folder that is only read.

    None for what is not there, cannot be read, is too much, or is neither, such as a socket.
    """
    try:
        status = path.stat()
        if stat.S_ISREG(status.st_mode) and status.st_size <= _FILE_BYTES:
            return hashlib.sha256(path.read_bytes()).hexdigest()
        if stat.S_ISDIR(status.st_mode) and is_read_only:
            return _of_folder(path)
    except OSError:
        return None
    return None


def _of_folder(folder: Path) -> str | None:
    """The digest of everything below; links are taken as such, not followed."""
    digest = hashlib.sha256()
    files, size = 0, 0
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted((*names, *folders)):
            path = folder.joinpath(place, name)
            status = path.lstat()
            digest.update(f"{path.relative_to(folder)}\0{status.st_mode:o}\0".encode())
            if stat.S_ISLNK(status.st_mode):
                digest.update(os.fsencode(path.readlink()))
            elif stat.S_ISREG(status.st_mode):
                files += 1
                size += status.st_size
                if files > _FOLDER_FILES or size > _FOLDER_BYTES:
                    return None
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
