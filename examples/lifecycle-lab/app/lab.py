"""The life of one instance: serve, do what the settings say, and end as they say on SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
import traceback
from typing import TYPE_CHECKING

from access_log import AccessLog
from endpoints import Endpoints
from http11 import Connection
from readiness import Readiness
from settings import read_version

if TYPE_CHECKING:
    import socket
    from collections.abc import Coroutine

    from settings import Settings


def run(settings: Settings, listener: socket.socket, started: float) -> None:
    """Serve until SIGTERM."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(Lab(settings, started).run(listener))


class Lab:
    """One instance; `started` is when its process began, in seconds of the monotonic clock."""

    def __init__(self, settings: Settings, started: float) -> None:
        self._settings = settings
        self._started = started
        service, version = os.environ.get("COMPARTMENT_SERVICE", "lab"), read_version(settings)
        identity = {"service": service, "version": version, "pid": os.getpid()}
        self._name = f"{service} {version}"
        self._log = AccessLog(settings.access_log, **identity)
        self._endpoints = Endpoints(identity, self._log, Readiness(settings, started))
        self._connections: set[Connection] = set()
        self._is_empty = asyncio.Event()

    async def run(self, listener: socket.socket) -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._on_sigterm, stop)
        host, port = listener.getsockname()[:2]
        server = await asyncio.start_server(self._serve, sock=listener, backlog=1024)
        self._log.write("listening", port=port)
        print(f"{self._name} listens on {host} port {port}", flush=True)
        async with asyncio.TaskGroup() as tasks:
            side_tasks = [tasks.create_task(work) for work in self._side_work()]
            await stop.wait()
            server.close()
            await self._finish()
            for task in side_tasks:
                task.cancel()
        self._log.write("exit", **self._endpoints.figures())
        print(f"{self._name} has finished", flush=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        self._connections.add(connection)
        self._is_empty.clear()
        try:
            await connection.serve(self._endpoints.handle)
        finally:
            self._connections.discard(connection)
            if not self._connections:
                self._is_empty.set()

    def _on_sigterm(self, stop: asyncio.Event) -> None:
        figures = self._endpoints.figures()
        self._log.write("sigterm", **figures)
        open_ones = f"{figures['open_requests']} requests and {figures['open_streams']} streams"
        print(f"{self._name} got SIGTERM with {open_ones} open", flush=True)
        if self._settings.term_mode == "instant":
            os._exit(0)
        if self._settings.term_mode == "graceful":
            stop.set()

    async def _finish(self) -> None:
        """Close what is idle, tell the streams to end, and wait for everything else."""
        self._endpoints.is_stopping.set()
        for connection in list(self._connections):
            connection.stop()
        if self._connections:
            await self._is_empty.wait()

    def _side_work(self) -> list[Coroutine[None, None, None]]:
        work = []
        if self._settings.crash_after_ms is not None:
            due = self._started + self._settings.crash_after_ms / 1000
            work.append(crash(due - time.monotonic()))
        if self._settings.spam_lines_per_s:
            work.append(spam(self._settings.spam_lines_per_s))
        return work


async def crash(delay_s: float) -> None:
    """Die as of an exception that nobody catches, in the middle of whatever is under way."""
    await asyncio.sleep(delay_s)
    traceback.print_exception(RuntimeError("the lab was told to crash"))
    os._exit(1)


async def spam(lines_per_s: int) -> None:
    """Print numbered lines, in turn on stdout and stderr, in bursts of 50 ms."""
    started, printed = time.monotonic(), 0
    while True:
        due = int((time.monotonic() - started) * lines_per_s)
        for number in range(printed, due):
            print(f"line {number}", file=sys.stderr if number % 2 else sys.stdout)
        sys.stdout.flush()
        printed = due
        await asyncio.sleep(0.05)
