"""A measured dashboard in a terminal of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tests.tui.pty import DASHBOARD, Terminal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a dashboard took over some seconds."""

    cpu_percent: float
    """100 is one core."""
    kilobytes_per_s: float
    agent_cpu_percent: float


@dataclass(frozen=True, slots=True)
class Lag:
    """How late the loop of a dashboard was."""

    p99_ms: float
    max_ms: float


class Screen(Terminal):
    """A terminal that counts what it is sent, and draws it only while somebody looks.

    To draw everything would take a good part of a core from what is measured.
    """

    def __init__(self, columns: int, rows: int, stopwatch: Path) -> None:
        super().__init__(columns, rows)
        self.began = time.time()
        self.seen_bytes = 0
        self._is_looking = True
        self._heard = bytearray()
        self._stopwatch = stopwatch

    def _read(self) -> None:
        if self._is_looking:
            before = len(self.raw)
            super()._read()
            self.seen_bytes += len(self.raw) - before
            return
        with suppress(OSError):
            data = os.read(self._main, 65_536)
            self.seen_bytes += len(data)
            self._heard += data
            self._changed.set()

    def look_away(self) -> None:
        """Only counts from now on."""
        self._is_looking = False
        self._heard.clear()

    def look_again(self) -> None:
        """Draws again, beginning with the whole screen."""
        self._is_looking = True
        self.press("\x0c")

    async def hear(self, sign: str, within_s: float = 10.0) -> float:
        """Waits until the screen has been sent a text, unseen; returns when."""
        async with asyncio.timeout(within_s):
            while sign.encode() not in self._heard:
                self._changed.clear()
                await self._changed.wait()
        return time.time()

    async def answer_s(self, key: str, sign: str) -> float:
        """From pressing a key to the first text of what it shows, unseen."""
        self.look_away()
        began = time.time()
        self.press(key)
        return await self.hear(sign) - began

    @property
    def memory_bytes(self) -> int:
        """What it holds."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    async def cost(self, seconds: float, agent_pid: int | None = None) -> Cost:
        """What the next seconds take, unseen."""
        self.look_away()
        processes = [psutil.Process(pid) for pid in (self.process.pid, agent_pid) if pid]
        cpu, sent, began = [_cpu(each) for each in processes], self.seen_bytes, time.time()
        await asyncio.sleep(seconds)
        passed = time.time() - began
        spent = [
            (_cpu(each) - before) / passed * 100
            for each, before in zip(processes, cpu, strict=True)
        ]
        return Cost(
            cpu_percent=spent[0],
            kilobytes_per_s=(self.seen_bytes - sent) / passed / 1000,
            agent_cpu_percent=spent[1] if agent_pid else 0.0,
        )

    def lag(self, seconds: float) -> Lag:
        """How late the loop was in the seconds that have passed."""
        since = time.time() - seconds
        whole = self._stopwatch.read_text().rpartition("\n")[0].splitlines()
        found = [line for line in map(json.loads, whole) if line["at"] > since]
        lags = sorted(lag for line in found for lag in line["lagsMs"])
        return Lag(p99_ms=lags[int(len(lags) * 0.99)], max_ms=lags[-1])


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


@asynccontextmanager
async def screen(
    folder: Path, *arguments: str | Path, has_stopwatch: bool = False
) -> AsyncIterator[Screen]:
    """A dashboard in a terminal of 120x35; it is gone at the end."""
    stopwatch = folder / f"stopwatch-{time.time_ns()}.jsonl"
    found = Screen(120, 35, stopwatch)
    timed = (sys.executable, "-m", "tests.bench.probe", stopwatch)
    program = timed if has_stopwatch else DASHBOARD
    found.start([*program, *arguments], _environ(folder), None)
    try:
        yield found
    finally:
        found.hang_up()
        found.process.kill()
        found.process.wait()


def _environ(folder: Path) -> Mapping[str, str]:
    """That of a person who has installed the program: it is compiled, whatever holds here."""
    environ = {
        **os.environ,
        "COMPARTMENT_HOME": str(folder / "home"),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(_ROOT),
        "PYTHONPYCACHEPREFIX": str(folder / "compiled"),
        "TERM": "xterm-256color",
    }
    for name in ("NO_COLOR", "PYTHONDONTWRITEBYTECODE"):
        environ.pop(name, None)
    return environ
