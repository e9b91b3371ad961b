"""The folder of a service: it exists, is inside the repository, and no symlink leads to it."""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING

from core.config.descriptor_rules import service_paths
from core.config.document import quote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.config.document import Document
    from core.model import Problem

_ABSOLUTE = re.compile(r"/|[A-Za-z]:")


def path_problems(root: Path, document: Document) -> Iterator[Problem]:
    """Yield what is wrong with the paths of the services of a descriptor in the folder `root`."""
    for key_path, value in service_paths(document):
        message = _why_not(root, value)
        if message:
            hint = "a path is relative to the folder of compartment.yml, such as services/web"
            yield document.problem(key_path, f"the path {quote(value)} {message}", hint=hint)


def _why_not(root: Path, value: str) -> str | None:
    """Return why a path cannot be that of a service, or None if it can."""
    if "\\" in value:
        return 'must be written with "/"'
    if _ABSOLUTE.match(value):
        return "must be relative"
    folder = root
    depth = 0
    for part in value.split("/"):
        if part in ("", "."):
            continue
        depth += -1 if part == ".." else 1
        if depth < 0:
            return "leads out of the repository"
        folder = folder.parent if part == ".." else folder / part
        reason = _why_not_a_folder(root, folder)
        if reason:
            return reason
    return None


def _why_not_a_folder(root: Path, folder: Path) -> str | None:
    shown = quote(folder.relative_to(root).as_posix())
    try:
        mode = folder.lstat().st_mode
    except FileNotFoundError:
        return f"does not exist: there is no {shown}"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if stat.S_ISLNK(mode):
        return f"leads through a symlink: {shown}"
    return None if stat.S_ISDIR(mode) else f"is not a folder: {shown}"
