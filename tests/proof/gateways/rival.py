"""A gateway as a process of its own: started on one core, switched, ended."""

from __future__ import annotations

import asyncio
import os
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import psutil

from core.ports import free_port
from tests.e2e.clients import get
from tests.load.outcome import RequestLost
from tests.load.plan import Target
from tests.proof.gateways.cores import GATEWAY, on_core
from tests.proof.gateways.scene import HOST, SECURE_HOST

if TYPE_CHECKING:
    from pathlib import Path

    from tests.proof.gateways.scene import Scene

_START_LIMIT_S = 60.0


class Rival(ABC):
    """One gateway of somebody else, configured once for all that is measured."""

    name: str
    switches_by: str
    """In which way its own documentation has an upstream changed without a restart."""

    def __init__(self, folder: Path, scene: Scene) -> None:
        self.folder = folder
        self.scene = scene
        folder.mkdir()
        plain = free_port(set())
        self.plain = Target("127.0.0.1", plain, HOST)
        self.secure = Target("127.0.0.1", free_port({plain}), SECURE_HOST)
        self._process: asyncio.subprocess.Process | None = None

    @abstractmethod
    def prepare(self) -> list[str]:
        """Writes what it reads, leading to the first version; returns its command."""

    @abstractmethod
    async def switch(self, version: int) -> None:
        """Has it lead to another version; returns once it was told."""

    @property
    def pids(self) -> list[int]:
        """The processes that it is."""
        assert self._process is not None
        main = psutil.Process(self._process.pid)
        return [main.pid, *(each.pid for each in main.children(recursive=True))]

    async def __aenter__(self) -> Self:
        log = self.folder / "log"
        with log.open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *on_core(GATEWAY, self.prepare()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={"PATH": os.defpath, "HOME": str(self.folder)},
            )
        deadline = time.monotonic() + _START_LIMIT_S
        while not await _answers(self.plain):
            assert self._process.returncode is None, log.read_text(errors="replace")
            assert time.monotonic() < deadline, f"{self.name} does not answer"
            await asyncio.sleep(0.02)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process is not None
        for pid in reversed(self.pids):
            with suppress(psutil.NoSuchProcess):
                psutil.Process(pid).kill()
        await self._process.wait()


async def _answers(target: Target) -> bool:
    """Not only listens: it may do that before it has read its routes."""
    with suppress(RequestLost):
        return (await get(target, "/")).status == 200
    return False
