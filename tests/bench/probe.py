"""The dashboard with a stopwatch inside, which tells how late its loop is.

Run as `python -m tests.bench.probe FILE ARGUMENT...`; FILE gets one line of JSON for each second.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Final

from tui.main import dashboard

_PAUSE_S: Final = 0.02
"""Its wake-ups are in the CPU that is measured: fifty a second take about half a percent."""


def _watch(file: Path) -> None:
    from tui.base import BoardApp

    begin = BoardApp.on_mount

    def on_mount(app: BoardApp) -> None:
        begin(app)
        app.run_worker(_sample(file))

    BoardApp.on_mount = on_mount  # type: ignore[method-assign, assignment] # not in the product


async def _sample(file: Path) -> None:
    """How much later than asked the loop comes back, in milliseconds."""
    while True:
        lags = []
        end = time.monotonic() + 1
        while (before := time.monotonic()) < end:
            await asyncio.sleep(_PAUSE_S)
            lags.append((time.monotonic() - before - _PAUSE_S) * 1000)
        line = {"at": time.time(), "lagsMs": [round(lag, 1) for lag in lags]}
        with file.open("a") as opened:
            opened.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    _watch(Path(sys.argv[1]))
    sys.exit(dashboard(sys.argv[2:]))
