"""Runs a simulation: in its own time, in a home of its own, the same each time for a seed."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import tempfile
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from core import records
from core.files import Home
from core.health import activation, instance
from core.health import ports as port_watch
from core.model import EngineName
from core.promotion import checking, drain, ledger, looking, publishing, readiness
from tests.simulation.clock import VirtualLoop, at_once
from tests.simulation.machine import Machine, spoken_on
from tests.simulation.promises import Promises

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Scene:
    """What a simulation begins with."""

    def __init__(self, seed: int, folder: Path, engine: EngineName) -> None:
        self.rng = random.Random(seed)
        self.machine = Machine(engine)
        self.promises = Promises(self.machine)
        self.commits_take_s: tuple[float, ...] = (0, 0, 0.001, 0.01)
        """One of these passes before a commit, and one after it."""
        self.project = folder / "project"
        self.home = Home(folder / "home")
        self.home.create()


class _Bugs(logging.Handler):
    """What is logged as an error is a bug of ours, even where somebody has caught it."""

    def __init__(self, promises: Promises) -> None:
        super().__init__(logging.ERROR)
        self._promises = promises
        self.setFormatter(logging.Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        self._promises.broken = self._promises.broken or self.format(record)


def _lowest(taken: set[int]) -> int:
    return next(port for port in range(20_000, 30_000) if port not in taken)


async def _asked(address: tuple[str, int]) -> object:
    await asyncio.sleep(0)
    return spoken_on(address[1])


def simulate(
    seed: int,
    play: Callable[[Scene], Awaitable[None]],
    engine: EngineName = EngineName.PROCESS,
) -> None:
    """Plays a scene; where that fails, says what happened."""
    gc.freeze()  # what was there before is not looked through at the end, which takes longest
    loop = VirtualLoop()
    clock = SimpleNamespace(monotonic=loop.monotonic)
    with (
        tempfile.TemporaryDirectory() as folder,
        pytest.MonkeyPatch.context() as patch,
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "coroutine '.*' was never awaited")
        scene = Scene(seed, Path(folder), engine)
        for module in (activation, instance, drain, ledger, port_watch, readiness):
            patch.setattr(module, "time", clock)
        patch.setattr(drain, "_SETTLE_S", 0)
        patch.setattr(drain, "_QUIET_S", 0)
        # Nobody listens anywhere: where, and what is spoken, is the machine's to say.
        patch.setattr(looking, "_answer", _asked)
        patch.setattr(checking, "_ports_probe", lambda *_: None)
        patch.setattr(publishing, "check_can_open", lambda *_: None)
        patch.setattr(publishing, "can_bind", lambda *_, **__: True)
        patch.setattr(publishing, "free_port", _lowest)
        patch.setattr(asyncio, "to_thread", at_once)
        patch.setattr(records, "secrets", SimpleNamespace(choice=scene.rng.choice))
        bugs, log = _Bugs(scene.promises), logging.getLogger("core")
        log.addHandler(bugs)
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(_played(scene, play))
        finally:
            log.removeHandler(bugs)
            # What an agent that died had not begun is thrown away here, not in the next test.
            gc.collect()
            gc.unfreeze()


async def _played(scene: Scene, play: Callable[[Scene], Awaitable[None]]) -> None:
    try:
        await play(scene)
    except BaseException as error:
        error.add_note("\n".join(["what happened:", *scene.promises.seen]))
        raise
