"""Starts agents that kill themselves, in the place of the agent of a house."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.proof.crash_steps import steps_of
from tests.proof.crashing import ARMED, POINT, STEPS

if TYPE_CHECKING:
    from core.files import Home
    from tests.proof.crash_steps import Point, Step

_REPOSITORY = Path(__file__).parents[2]
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
        await asyncio.to_thread(self._start)

    def _start(self) -> None:
        with self._home.agent_output.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tests.proof.crashing", str(self._folder)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                cwd="/",
                env={
                    **os.environ,
                    "COMPARTMENT_HOME": str(self._home.root),
                    "PYTHONPATH": str(_REPOSITORY),
                },
                start_new_session=True,
            )
        assert self._process.stdout is not None
        with self._process.stdout as said:
            line = said.readline()
        assert line in (b"", b'{"ready": true}\n'), line

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
