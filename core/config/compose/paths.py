"""Paths of this machine, as Compose files write them."""

from __future__ import annotations

import os
import re
from pathlib import Path

from core.config.footprint import note_relative

_REMOTE = re.compile(r"[a-z]+://|git@|(github|gitlab)\.com/|.*\.git(#|$)")


def absolute(path: str, folder: Path) -> Path:
    """Return a path that is relative to a folder, or to the home of the user with `~`.

    It is without `..`, and symbolic links in it are not followed; nothing has to be there.
    """
    expanded = os.path.expanduser(path) if path.startswith("~") else path  # noqa: PTH111 - never raises
    found = Path(os.path.normpath(folder / expanded))
    if not expanded.startswith("/"):
        note_relative(found)
    return found


def is_remote(path: str) -> bool:
    """Whether a path is that of a repository or a registry, which Compose reads, too."""
    return _REMOTE.match(path) is not None
