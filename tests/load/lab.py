"""Starts the lifecycle lab without any platform around it."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.load.access_log import AccessLog
from tests.load.plan import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

APP = Path(__file__).parents[2] / "examples" / "lifecycle-lab" / "app"
PATIENCE_S = 60


@dataclass(frozen=True, slots=True)
class RunningLab:
    """A lab that listens."""

    process: asyncio.subprocess.Process
    target: Target
    log_path: Path

    @property
    def log(self) -> AccessLog:
        """What its access log says now."""
        return AccessLog.read(self.log_path)

    async def stop(self) -> int:
        """Send SIGTERM; return the exit code."""
        self.process.terminate()
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()


def lab_environment(folder: Path, **variables: str | int) -> dict[str, str]:
    """Make the variables of a lab on a free port; those given lack their prefix `LAB_`."""
    given = {f"LAB_{name.upper()}": str(value) for name, value in variables.items()}
    log = {"LAB_ACCESS_LOG": str(folder / "access.log")}
    return {"PATH": os.environ["PATH"], "PORT": "0", **log, **given}


@asynccontextmanager
async def running_lab(folder: Path, **variables: str | int) -> AsyncIterator[RunningLab]:
    """Run a lab until the end of the block, with its access log in the folder."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "server.py",
        cwd=APP,
        env=lab_environment(folder, **variables),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            line = await process.stdout.readline()
        *_, address, _, port = line.decode().split()
        target = Target(address, int(port), "lab.test")
        yield RunningLab(process, target, folder / "access.log")
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
