"""The program as people start it, in a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.proof.faults.scene import LIMIT_S

if TYPE_CHECKING:
    import signal
    from collections.abc import AsyncIterator

    from tests.e2e.house import LabProject

_PROGRAM = "import sys; from core.cli.main import run; sys.exit(run())"


class Command:
    """One that runs, whose progress is read line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said = ""

    async def until(self, words: str) -> None:
        """Returns when it has said something."""
        assert self._process.stderr is not None
        async with asyncio.timeout(LIMIT_S):
            while words not in self.said:
                line = (await self._process.stderr.readline()).decode()
                assert line, f"it ended without {words!r}: {self.said}"
                self.said += line

    def signal(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        self._process.send_signal(number)

    async def end(self) -> int:
        """Its exit code; `said` has all of its progress by then."""
        async with asyncio.timeout(LIMIT_S):
            _, said = await self._process.communicate()
        self.said += said.decode()
        assert self._process.returncode is not None
        return self._process.returncode


@asynccontextmanager
async def command(lab: LabProject, *arguments: str) -> AsyncIterator[Command]:
    """Starts one in the project's folder; killed at the end of the block if it still runs."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PROGRAM, *arguments),
        cwd=lab.root,
        env=dict(os.environ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Command(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
