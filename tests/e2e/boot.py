"""A reboot, as near as it can be had: everything ends at once, then systemd's part is played."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

from core.agent.unit import Kind, Unit, unit_of
from tests.e2e.clients import get
from tests.e2e.house import processes_of
from tests.load.outcome import LossKind, RequestLost

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.files import Home
    from tests.load.plan import Target

LIMIT_S = 60.0
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


def end_everything(home: Home) -> None:
    """All processes of a home end at the same moment, and nobody can do anything about it."""
    left = processes_of(home)
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
    psutil.wait_procs(left, timeout=LIMIT_S)


def forget_what_a_boot_forgets(home: Home, stranger: int) -> None:
    """Sockets are gone with their folder, and the pids that were written down are others' now."""
    shutil.rmtree(home.sockets)
    record = home.gateway / "envoy.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"pid": stranger}))
    home.agent_lock.write_text(str(stranger))


@contextmanager
def stranger() -> Iterator[int]:
    """A process of somebody else, which has to be left alone."""
    with subprocess.Popen(["sleep", "600"]) as process:
        try:
            yield process.pid
            assert process.poll() is None
        finally:
            process.kill()


@dataclass
class Booted:
    """The agent as the unit starts it; `told` is what it says to systemd."""

    process: subprocess.Popen[bytes]
    told: socket.socket

    async def ready(self) -> None:
        """Returns when it has told that it is ready."""
        async with asyncio.timeout(LIMIT_S):
            while "READY=1" not in await self.next_words():
                pass

    async def next_words(self) -> list[str]:
        """What it tells next."""
        said = await asyncio.get_running_loop().sock_recv(self.told, 4096)
        return said.decode().splitlines()


@contextmanager
def booted(home: Home, folder: Path) -> Iterator[Booted]:
    """Starts the agent as systemd does, from nothing but what is written in the unit."""
    unit = unit_of(home, Kind.SYSTEM)
    (folder / unit.name).write_text(unit.text(os.environ))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.setblocking(False)
        told.bind(str(folder / "notify"))
        command, environment = _read(unit, (folder / unit.name).read_text())
        environment["NOTIFY_SOCKET"] = str(folder / "notify")
        with (folder / "journal").open("ab") as output:
            process = subprocess.Popen(
                command, cwd="/", env=environment, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
        try:
            yield Booted(process, told)
        finally:
            process.kill()
            process.wait()
            print((folder / "journal").read_text())  # noqa: T201 - shown where the test has failed


def _read(unit: Unit, text: str) -> tuple[list[str], dict[str, str]]:
    """The command and the environment, by the rules of systemd.syntax(7)."""
    lines = [line.partition("=") for line in text.splitlines() if not line.startswith("#")]
    (command,) = [value for key, _, value in lines if key == "ExecStart"]
    given = [_words(value)[0].partition("=") for key, _, value in lines if key == "Environment"]
    words = [unit.name if word == "%n" else word for word in _words(command)]
    return words, {name: value for name, _, value in given}


def _words(text: str) -> list[str]:
    found = []
    for match in _WORD.finditer(text):
        quoted, plain = match.groups()
        unescaped = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain
        found.append(unescaped if unescaped == "%n" else unescaped.replace("%%", "%"))
    return found


@dataclass
class Caller:
    """Somebody who asks for a service again and again, also while nobody listens."""

    target: Target
    opened_at: float | None = None
    """When the first connection was taken."""
    right: int = 0
    wrong: list[str] = field(default_factory=list)
    """What came back from then on that was not the service's reply."""

    async def ask(self, path: str = "/up") -> None:
        """Asks until cancelled."""
        while True:
            try:
                reply = await get(self.target, path)
            except RequestLost as loss:
                if self.opened_at is not None or loss.kind is not LossKind.CONNECT_ERROR:
                    self.wrong.append(str(loss))
            else:
                self.opened_at = self.opened_at or time.monotonic()
                if reply.status == 200:
                    self.right += 1
                else:
                    self.wrong.append(f"{reply.status} {reply.body[:80]!r}")
            await asyncio.sleep(0.01)  # not a wait: as often as that is enough
