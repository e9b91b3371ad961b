"""What three log panes cost in a real terminal, while lines pour in.

Run as `python -m tests.bench.log_panes [--rate 3000] [--seconds 6]`. The child runs the panes in a
pty of 120x35; the parent plays the terminal and counts what it is sent.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.lines import stamp
from core.model import Stream

if TYPE_CHECKING:
    from textual.app import ComposeResult

RATES = (300, 3_000, 10_000)
TICK_S = 0.1
FEED_S = 0.05
LAG_S = 0.01
ROWS_ABOVE = 18
"""What the dashboard shows above its log panes, and what does not change meanwhile."""

BURST = 100_000
BATCH = 1_000

_TEXTS = (
    "GET /v1/items/{n} 200 12ms user=48213 region=eu-1 cache=hit bytes=18211 trace=9f2c{n} :31007",
    "job {n} started: resize image 4032x3024 to 1200x900, quality 82, worker 3 of 8, 17 pending",
    "\x1b[32mINFO\x1b[0m pool: connection {n} returned after 31 ms, 7 of 20 in use, 0 waiting",
    "WARN slow query {n}: 512 ms select id, total from orders where customer_id = $1 order by id",
    '{{"level":"info","msg":"request done","n":{n},"path":"/v1/orders","status":201,"ms":31}}',
)
_STREAMS = (Stream.STDOUT, Stream.STDOUT, Stream.STDERR, Stream.STDERR, Stream.COMPARTMENT)


def made(first: int, count: int) -> list[dict[str, Any]]:
    """Lines of about 100 characters, spread over the three streams."""
    at = stamp()
    return [
        {
            "timestamp": at,
            "stream": str(_STREAMS[number % 5]),
            "message": _TEXTS[number % 5].format(n=number),
            "deploymentId": "dep_live",
            "serviceName": ("web", "api", "worker")[number % 3],
            "environmentName": "production",
        }
        for number in range(first, first + count)
    ]


def main() -> None:
    """Measures one rate, or all of them and the burst."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, help="lines a second, all panes together")
    parser.add_argument("--seconds", type=float, default=6)
    wanted = parser.parse_args()
    for rate in [wanted.rate] if wanted.rate else RATES:
        found = in_terminal("steady", rate, wanted.seconds)
        say(f"{rate:>6} lines/s", found)
    if not wanted.rate:
        say(f"burst of {BURST:,}", in_terminal("burst", BURST, wanted.seconds))
        say("memory", {"bytes a kept line": bytes_per_line()})


def say(what: str, found: dict[str, float]) -> None:
    """One line of figures."""
    figures = "   ".join(f"{name} {value:,.1f}" for name, value in found.items())
    sys.stdout.write(f"{what:>16}   {figures}\n")
    sys.stdout.flush()


def in_terminal(kind: str, amount: int, seconds: float) -> dict[str, float]:
    """Runs the panes in a pty of their own; what they reported, and what they sent."""
    answers, answer = os.pipe()
    process, terminal = pty.fork()
    if not process:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 35, 120, 0, 0))
        asyncio.run(_run(kind, amount, seconds, answer))
        os._exit(0)
    os.close(answer)
    sent = 0
    while True:
        ready, _, _ = select.select([terminal, answers], [], [], 60)
        if terminal in ready:
            try:
                chunk = os.read(terminal, 1 << 16)
            except OSError:  # the child has closed its side
                break
            sent += len(chunk)
            if b"?" in chunk and b"\x1b[c" in chunk:
                os.write(terminal, b"\x1b[?62c")
        elif not ready:
            break
    os.waitpid(process, 0)
    with os.fdopen(answers) as told:
        found: dict[str, float] = json.loads(told.read() or "{}")
    os.close(terminal)
    if "seconds" in found:
        found["KB/s"] = sent / found.pop("seconds") / 1000
    return found


async def _run(kind: str, amount: int, seconds: float, answer: int) -> None:
    from textual.widgets import Static

    from tests.tui.widgets.log_host import LogHost

    class BenchHost(LogHost):
        CSS = f"{LogHost.CSS} #above {{ height: {ROWS_ABOVE}; }}"
        keys = 0

        def compose(self) -> ComposeResult:
            yield Static("run strip and services", id="above")
            yield from super().compose()

        def on_mount(self) -> None:
            self.set_interval(TICK_S, self.flush_now)

        def flush_now(self) -> None:
            self.now = datetime.now(UTC)
            self.flush()

        def key_f8(self) -> None:
            self.keys += 1

    host = BenchHost(Stream.COMPARTMENT, Stream.STDOUT, Stream.STDERR)
    found: dict[str, float] = {}

    async def measure() -> None:
        while not host.is_running or not host.panes[0].size:
            await asyncio.sleep(0.05)
        host.panes[1].focus()
        await asyncio.sleep(0.5)
        found.update(await (_steady if kind == "steady" else _burst)(host, amount, seconds))
        host.exit()

    async with asyncio.TaskGroup() as group:
        group.create_task(measure())
        await host.run_async()
    os.write(answer, json.dumps(found).encode())


async def _steady(host: Any, rate: int, seconds: float) -> dict[str, float]:
    """CPU and lag while lines come evenly."""
    lags: list[float] = []
    number = 0
    begun, used = time.perf_counter(), time.process_time()

    async def feel() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(LAG_S)
            lags.append(time.perf_counter() - before - LAG_S)

    async with asyncio.TaskGroup() as group:
        feeling = group.create_task(feel())
        while (passed := time.perf_counter() - begun) < seconds:
            due = int(passed * rate) - number
            host.store.push(made(number, due))
            number += due
            await asyncio.sleep(FEED_S)
        feeling.cancel()
    took, cpu = time.perf_counter() - begun, time.process_time() - used
    # What making the lines costs is the bench's own.
    before = time.process_time()
    made(0, number)
    cpu -= time.process_time() - before
    lags.sort()
    return {
        "CPU %": 100 * cpu / took,
        "p50 lag ms": 1000 * lags[len(lags) // 2],
        "p99 lag ms": 1000 * lags[len(lags) * 99 // 100],
        "seconds": took,
    }


async def _burst(host: Any, amount: int, seconds: float) -> dict[str, float]:
    """How long a key waits while a great many lines arrive at once."""
    batches = [made(first, BATCH) for first in range(0, amount, BATCH)]
    begun = time.perf_counter()
    answered = asyncio.Event()
    slowest = 0.0
    pressed = begun

    async def press() -> None:
        nonlocal slowest, pressed
        from textual import events

        while not answered.is_set():
            pressed = time.perf_counter()
            before = host.keys
            host.post_message(events.Key("f8", None))
            while host.keys == before:
                await asyncio.sleep(0)
            slowest = max(slowest, time.perf_counter() - pressed)
            await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as group:
        group.create_task(press())
        for batch in batches:
            host.store.push(batch)
            await asyncio.sleep(0)
        took = time.perf_counter() - begun
        await asyncio.sleep(min(1.0, seconds))
        answered.set()
    return {"pushed in ms": 1000 * took, "slowest key ms": 1000 * slowest}


def bytes_per_line() -> float:
    """What a kept line takes, in three full rings."""
    from tui.logs.store import LogStore

    tracemalloc.start()
    store = LogStore()
    for first in range(0, BURST, BATCH):
        store.push(json.loads(json.dumps(made(first, BATCH))))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return taken / sum(len(store.ring(stream)) for stream in Stream)


if __name__ == "__main__":
    main()
