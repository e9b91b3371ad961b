"""A running instance, as the agent sees it: a conversation with the shim that owns the process."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from core.engines.base import Exit, Life
from core.engines.process import listeners

if TYPE_CHECKING:
    from pathlib import Path

    from core.engines.base import Address, OwnHealth, Ran


_ANSWER_TIMEOUT_S = 5.0
_UP = ("running", "stopping")


class ProcessInstance:
    """One instance. Its shim tells every change; when the shim is gone, so is the process."""

    def __init__(self, name: str, port: int, record: Path) -> None:
        self.name = name
        self.address = ("127.0.0.1", port)
        self.exit: Exit | None = None
        self.life = Life()
        self._record = record
        self._state: dict[str, Any] = {}
        self._known = asyncio.Event()
        self._ended = asyncio.Event()
        self._changed = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None

    @property
    def pid(self) -> int | None:
        """The process at this moment; None between restarts."""
        pid: int | None = self._state.get("pid")
        return pid

    @property
    def shim_pid(self) -> int | None:
        """The process that watches over it; None when it has ended for good."""
        pid: int | None = self._state.get("shimPid")
        return None if self._ended.is_set() else pid

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Follows what the shim tells until it ends; the owner of the connection runs this."""
        self._writer = writer
        try:
            while line := await reader.readline():
                self._learn(json.loads(line))
        except (OSError, ValueError):
            pass  # a shim that was killed in the middle of a word
        finally:
            self._writer = None
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            self.end()

    def end(self) -> None:
        """Takes note that its shim is gone, which it only is after the service."""
        self.exit = self.exit or self._recorded_exit()
        self._known.set()
        self._ended.set()

    def _learn(self, state: dict[str, Any]) -> None:
        self._state = state
        self.life = _life(state)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        self._known.set()
        ended = state.get("exit")
        if state.get("state") == "exited" and ended:
            self.exit = _exit(ended)
            self._ended.set()

    def _recorded_exit(self) -> Exit:
        unseen = Exit(error="was ended together with the process that watched over it")
        return recorded_exit(self._record) or unseen

    async def wait_known(self) -> None:
        """Returns when the shim has told its state for the first time."""
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            await self._known.wait()

    @property
    def restarts(self) -> int:
        """How often it ended by itself and was started again."""
        return self.life.restarts

    async def next_life(self, known: Life) -> Life:
        """Returns when that is not what is known of it."""
        while self.life == known:
            await self._changed.wait()
        return self.life

    @property
    def own_health(self) -> OwnHealth | None:
        """A process brings no check along."""
        return None

    @property
    def own_check(self) -> None:
        """A process brings no check along."""

    async def try_own_check(self, limit_s: float) -> Ran:  # noqa: ARG002
        """Not asked for."""
        raise AssertionError("a process brings no check along")

    async def next_health(self) -> OwnHealth:
        """Never."""
        never: asyncio.Future[OwnHealth] = asyncio.get_running_loop().create_future()
        return await never

    async def wait_exit(self) -> Exit:
        """Returns when it has ended for good."""
        await self._ended.wait()
        return self.exit or self._recorded_exit()

    def address_of(self, port: int) -> Address | None:
        """It listens on its own one only."""
        return self.address if port == self.address[1] else None

    async def listens(self) -> tuple[int, ...] | None:
        """Nobody asks: a process is told where to listen."""
        return None

    async def keep(self) -> None:
        """From now on its restart policy applies."""
        await self.order({"do": "keep"})

    async def order(self, command: dict[str, Any]) -> None:
        """Gives the shim an order; one that has ended needs none."""
        if self._writer is not None:
            with suppress(OSError):
                self._writer.write(json.dumps(command).encode() + b"\n")
                await self._writer.drain()

    async def foreign_listener(self) -> str | None:
        """Who answers at its port, when that is not a process of its own tree."""
        shim, port = self._state.get("shimPid"), self.address[1]
        if shim is None or await asyncio.to_thread(listeners.owns_port, shim, port):
            return None
        return await asyncio.to_thread(listeners.explain, shim, port)

    async def explain_silence(self) -> str | None:
        """A guess at why nothing answers at its port."""
        shim = self._state.get("shimPid")
        if shim is None:
            return None
        return await asyncio.to_thread(listeners.explain, shim, self.address[1])


def recorded_exit(record: Path) -> Exit | None:
    """What a shim has recorded of the end of its service."""
    try:
        return _exit(json.loads(record.read_text()))
    except (OSError, ValueError):
        return None


def _life(state: dict[str, Any]) -> Life:
    ended = state.get("exit")
    return Life(
        is_up=state.get("state") in _UP,
        restarts=state.get("restarts", 0),
        last_exit=_exit(ended) if ended else None,
        pause_s=state.get("pauseS"),
    )


def _exit(record: dict[str, Any]) -> Exit:
    return Exit(record.get("code"), record.get("signal"), record.get("at"), record.get("error"))
