"""Blocking work on the folder of releases: in threads, with errors that say what to do."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from core.ending import to_the_end
from core.errors import CompartmentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P = ParamSpec("P")
Result = TypeVar("Result")

_HINTS = {
    errno.ENOSPC: "free some disk space, or move the home folder to a larger disk",
    errno.EDQUOT: "free some disk space: your quota is used up",
    errno.EROFS: "the home folder must be on a disk that can be written",
}


async def blocking(function: Callable[P, Result], *args: P.args, **kwargs: P.kwargs) -> Result:
    """Runs it in a thread, which is never left behind, and translates what the disk refuses."""
    with explained():
        return await to_the_end(asyncio.to_thread(function, *args, **kwargs))


def size_bytes(folder: Path) -> int:
    """What all files below the folder hold together."""
    return sum(
        os.lstat(f"{parent}/{name}").st_size
        for parent, _, names in os.walk(folder)
        for name in names
    )


def delete(path: Path) -> None:
    """Removes a file, or a folder with everything in it."""
    if not path.is_dir():
        path.unlink()
        return
    # Some tools make folders that even their owner cannot change.
    path.chmod(0o700)
    for parent, names, _ in os.walk(path):
        for name in names:
            folder = Path(parent, name)
            if not folder.is_symlink():
                folder.chmod(0o700)
    shutil.rmtree(path)


@contextmanager
def explained() -> Iterator[None]:
    """Translates what the disk refuses."""
    try:
        yield
    except OSError as error:
        raise CompartmentError(
            f"the release cannot be written: {error.strerror}",
            hint=_HINTS.get(error.errno or 0, "check the folder `releases` in the home folder"),
        ) from error
