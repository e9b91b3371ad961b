"""Envoy: started, adopted, watched, replaced without a gap, stopped. It outlives the agent."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from core.errors import GatewayUnavailable
from core.files import is_seen_by, write_atomically
from core.gateway import bounds, processes, resources
from core.gateway.admin import Admin
from core.gateway.command import Command, command, forget_shared_memory, reading
from core.gateway.processes import Process, Processes, born
from core.ports import bind

if TYPE_CHECKING:
    from core.gateway.table import Ports

_log = logging.getLogger(__name__)

_DETACH = Path(__file__).with_name("detach.py")

_START_TIMEOUT_S = 15.0
_LOOK_PAUSE_S = 0.01

_FLUSH_S = 5.0
"""How often Envoy adds what the one before it counts to its own (`stats_flush_interval`)."""

_LOG_LIMIT_BYTES = 8 * 1024 * 1024


class Envoy:
    """One Envoy per home folder, and while it is replaced the one before it.

    `admin` answers while `is_serving`.
    """

    def __init__(self, folder: Path, admin_socket: Path, workers: int = 1) -> None:
        self.folder = folder
        self._workers = workers
        self.log = folder / "envoy.log"
        self._admin_socket = admin_socket
        self._record = folder / "envoy.json"
        self._processes = Processes()
        self.admin = Admin(admin_socket)

    @property
    def is_running(self) -> bool:
        """Whether the process of the record is alive, and really ours."""
        serving = self._processes.serving
        return serving is not None and serving.is_running

    @property
    def pid(self) -> int | None:
        """The process that takes connections; None where none is known."""
        serving = self._processes.serving
        return serving.pid if serving else None

    @property
    def is_current(self) -> bool:
        """Whether what runs is what would be started now."""
        serving = self._processes.serving
        return serving is not None and serving.made_of == self._command().digest

    @property
    def can_hand_over(self) -> bool:
        """Whether what runs lets another one take its place; one at a time is on its way out."""
        serving = self._processes.serving
        return serving is not None and serving.epoch is not None and not self._is_leaving

    @property
    def lag_s(self) -> float:
        """How old the figures of what is in flight may be: those of two come together."""
        return _FLUSH_S if self._is_leaving else 0.0

    @property
    def _is_leaving(self) -> bool:
        leaving = self._processes.leaving
        return leaving is not None and leaving.is_running

    async def is_serving(self) -> bool:
        """Whether an Envoy runs and answers, started by this agent or by one before it.

        Raises:
            GatewayUnavailable: it runs but does not answer; what it carries is not ours to cut.
        """
        if self._processes.serving is None:
            self._processes = processes.read(self._record)
        deadline = time.monotonic() + _START_TIMEOUT_S
        while self.is_running and (serving := self._processes.serving):
            if await self._answers(serving):
                return True
            if time.monotonic() > deadline:
                raise GatewayUnavailable(
                    f"the gateway (pid {self.pid}) runs, but does not answer",
                    hint="end that process to have it started again",
                )
            await asyncio.sleep(_LOOK_PAUSE_S)
        return await self._has_stayed()

    async def _has_stayed(self) -> bool:
        """Whether what was to hand over serves on: its successor ended before it had begun."""
        leaving = self._processes.leaving
        if leaving is None or not leaving.is_running or not await self._answers(leaving):
            return False
        self._keep(Processes(leaving))
        return True

    async def _answers(self, process: Process) -> bool:
        """Whether it is this one that serves."""
        return await self.admin.live_epoch() == (process.epoch or 0)

    async def start(self, ports: Ports) -> None:
        """Starts Envoy in the place of one that no longer serves.

        Raises:
            GatewayUnavailable: a port is taken, or Envoy ends or hangs at its start.
        """
        await self.stop()
        await self._end_strays()
        check_free("public", ports.host, ports.public)
        check_free("internal", "127.0.0.1", ports.internal)
        started = self._spawn(0, 0)
        self._keep(Processes(started))
        if not await self._is_up(started):
            await self.stop()
            raise self._did_not_start()

    async def hand_over(self, patience_s: float) -> None:
        """Starts one as it would be started now, which takes over the ports of what runs.

        No connection is refused. What runs answers what it has, asks clients to come again, and
        ends after `patience_s`, whatever it still has.

        Raises:
            GatewayUnavailable: the new one does not start. What ran goes on, or is not there.
        """
        before = self._processes.serving
        assert before is not None
        assert before.epoch is not None
        # Each has a log of its own: only what the new one refuses concerns who updates it.
        self.log.replace(self.log.with_suffix(".before.log"))
        started = self._spawn(before.epoch + 1, patience_s)
        # Now: should this agent end here, the next one has to know of both.
        self._keep(Processes(started, leaving=before))
        if await self._is_up(started):
            return
        await started.end()
        if not await self._has_stayed():
            # It had begun to hand over, and takes no updates any more.
            await self.stop()
        raise self._did_not_start()

    async def wait_exit(self) -> None:
        """Returns when none is left that takes connections; at once where none runs."""
        while serving := self._processes.serving:
            await serving.wait_exit()
            if serving is self._processes.serving:
                return

    async def stop(self) -> None:
        """Ends all: asked first, then killed. Connections still open are cut."""
        # In this order: one that has taken over dies with the one before it.
        for each in (self._processes.serving, self._processes.leaving):
            if each is not None:
                await each.end()
        self._keep(Processes())
        forget_shared_memory(self._admin_socket.parent)

    async def _end_strays(self) -> None:
        """Ends those of this home that are in no record, and would hold its ports.

        Their agent has died before it could tell of them, or the home folder was removed.
        """
        words = reading(self.folder / "bootstrap.json")
        # A thread: it reads a file of every process of the machine.
        for each in await asyncio.to_thread(processes.told_first, words):
            if not is_seen_by(self.folder, each.pid):
                continue
            _log.warning("ends a gateway that is in no record (pid %s)", each.pid)
            await each.end()

    def _command(self) -> Command:
        return command(
            self.folder / "bootstrap.json",
            self._bootstrap(),
            self._admin_socket.parent,
            self._workers,
        )

    def _bootstrap(self) -> bytes:
        _, open_files = resource.getrlimit(resource.RLIMIT_NOFILE)
        if open_files == resource.RLIM_INFINITY:
            open_files = sys.maxsize
        held_to = bounds.of_the_process(open_files, psutil.virtual_memory().total)
        found = resources.bootstrap(self.folder, self._admin_socket)
        return json.dumps({**found, **held_to}).encode()

    def _spawn(self, epoch: int, patience_s: float) -> Process:
        try:
            return self._spawned(epoch, patience_s)
        except (OSError, subprocess.CalledProcessError, psutil.Error) as error:
            raise GatewayUnavailable(
                f"the gateway cannot be started: {getattr(error, 'strerror', None) or error}",
                hint=f"check {self.folder}, and that the disk has room",
            ) from error

    def _spawned(self, epoch: int, patience_s: float) -> Process:
        how = self._command()
        write_atomically(self.folder / "bootstrap.json", self._bootstrap())
        if epoch == 0:
            self._admin_socket.unlink(missing_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT_BYTES:
            self.log.unlink()
        with self.log.open("ab") as log:
            told = subprocess.run(
                [sys.executable, "-I", "-S", str(_DETACH), *how.line(epoch, patience_s)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self.folder,
                env={"PATH": os.defpath, "LANG": "C.UTF-8"},
                check=True,
            )
        pid = int(told.stdout)
        created_at = psutil.Process(pid).create_time()
        epoch_told = epoch if how.can_hand_over else None
        return Process(pid, created_at, epoch_told, how.digest, born(pid))

    def _keep(self, found: Processes) -> None:
        processes.write(self._record, found)
        self._processes = found

    async def _is_up(self, started: Process) -> bool:
        """Whether what was started serves, and not one before it; False once it has ended."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            if not started.is_running:
                return False
            if await self._answers(started):
                return True
            await asyncio.sleep(_LOOK_PAUSE_S)
        return False

    def _did_not_start(self) -> GatewayUnavailable:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return GatewayUnavailable(
            f"the gateway did not start: {lines[-1] if lines else 'no output'}",
            hint=f"its log is {self.log}; `compartment doctor` checks the machine",
        )


def check_free(name: str, host: str, port: int) -> None:
    """Says who holds a port before Envoy would merely fail on it."""
    try:
        bind(host, port)
    except OSError as error:
        flag = "--port" if name == "public" else "--internal-port"
        raise GatewayUnavailable(
            f"the gateway's {name} port {host}:{port} cannot be used:"
            f" {error.strerror or error}{holder_of(port)}",
            hint="stop who holds it, or choose another one (0: any that is free):"
            f" compartment agent stop, then: compartment agent start {flag} PORT",
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
