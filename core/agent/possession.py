"""Whether the agent still has its home folder: one that is removed may be made anew by another."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from core.files import Home

_LOOK_S: Final = 1.0


class Possession:
    """The home's lock as it was when the agent took it: who has another one is not alone."""

    def __init__(self, home: Home) -> None:
        self._lock = home.agent_lock
        self._taken = _identity(self._lock)

    @property
    def is_ours(self) -> bool:
        """Whether what is at the path of the home is what was taken."""
        return _identity(self._lock) == self._taken

    async def until_lost(self) -> None:
        """Returns when the home folder has been removed."""
        while self.is_ours:
            await asyncio.sleep(_LOOK_S)

    def remove(self, *files: Path) -> None:
        """Removes files of this agent; those of another one, in a home made anew, stay."""
        if self.is_ours:
            for file in files:
                file.unlink(missing_ok=True)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
