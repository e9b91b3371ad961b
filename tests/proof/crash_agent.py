"""Starts agents that kill themselves, in the place of the agent of a house."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from tests.proof.crash_steps import steps_of
from tests.proof.crashing import ARMED, POINT, STEPS
from tests.proof.own_agent import start

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from core.files import Home
    from tests.proof.crash_steps import Point, Step

_ENDS_WITHIN_S = 60


class CrashingAgent:
    """One agent of a home after the other; `folder` is where they are told when to die."""

    def __init__(self, home: Home, folder: Path) -> None:
        self._home = home
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir()

    async def start(self, point: Point, *, is_armed: bool = False) -> None:
        """Returns once it is ready or dead; one that is armed may die while it starts."""
        for name in (ARMED, STEPS):
            (self._folder / name).unlink(missing_ok=True)
        point.write(self._folder / POINT)
        if is_armed:
            self.arm()
        arguments = ("tests.proof.crashing", str(self._folder))
        self._process = await asyncio.to_thread(start, self._home, *arguments)

    def arm(self) -> None:
        """From now on it counts its commits."""
        (self._folder / ARMED).touch()

    @property
    def steps(self) -> list[Step]:
        """The commits since it was armed; the last one may be what it died at."""
        return steps_of(self._folder / STEPS)

    async def died(self) -> None:
        """Waits for the end of one that was seen to die."""
        assert self._process is not None
        code = await asyncio.to_thread(self._process.wait, _ENDS_WITHIN_S)
        assert code == -signal.SIGKILL, f"the agent ended with {code}, and was not killed"

    async def kill(self) -> None:
        """Ends it in the same way, from outside."""
        assert self._process is not None
        self._process.kill()
        await self.died()
