"""How long a command takes whoever types it: from the start of its process to its end."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 5
_COMMAND = (sys.executable, "-m", "core.cli.main")


async def seconds_of(*arguments: str) -> float:
    """How long a command takes, from its start to its end."""
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *_COMMAND, *arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=compiled()
    )
    _, said = await process.communicate()
    assert process.returncode == 0, said
    return time.monotonic() - began


async def median_of(*arguments: str) -> float:
    """The same in the middle of several; the first start of all only compiles."""
    taken = [await seconds_of(*arguments) for _ in range(1 + ROUNDS)]
    return statistics.median(taken[1:])


def compiled() -> dict[str, str]:
    """The environment of somebody who has installed the program, in which Python keeps bytecode."""
    environ = {**os.environ, "PYTHONPYCACHEPREFIX": str(Path(os.environ["HOME"]) / "compiled")}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    return environ
