"""Where symbolic links of a source lead."""

from __future__ import annotations

import os
from pathlib import Path


def is_within(root: Path, path: str, leads_to: str) -> bool:
    """Whether the link at a relative path stays below `root`: as it reads, and as it resolves.

    Both, because what reads harmless may pass through another link.
    """
    read = os.path.normpath(f"{path.rpartition('/')[0] or '.'}/{leads_to}")
    if leads_to.startswith("/") or read.split("/", 1)[0] == "..":
        return False
    resolved = Path(os.path.realpath(f"{root}/{path}"))
    return resolved.is_relative_to(os.path.realpath(root))
