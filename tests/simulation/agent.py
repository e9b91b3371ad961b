"""One agent on the machine: it may die at any moment, and leaves the journal and what runs."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, cast

from core.errors import CompartmentError
from core.journal import Journal
from core.logs.writer import CompartmentLog
from core.platform import Platform
from core.promotion.ledger import Ledger
from core.promotion.parts import Parts
from core.promotion.routing import Router
from tests.one_engine import OneEngine
from tests.simulation.gates import AgentDied
from tests.simulation.link import Link, gateway_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    import httpx

    from core.events import Event
    from core.gateway.gateway import Gateway
    from core.journal import Record
    from core.promotion.engines import Engines
    from tests.simulation.simulate import Scene


class SimulatedJournal(Journal):
    """Works on the loop's own thread; a commit takes its time before it is done, and after."""

    def __init__(self, scene: Scene) -> None:
        super().__init__(scene.home.journal)
        self._promises = scene.promises
        self._scene = scene
        self.is_dead = False

    def _open(self) -> None:
        super()._open()
        # No power cut is simulated, and a disk may be slow.
        self._open_connection().execute("PRAGMA synchronous = OFF")

    async def _call(self, work: Callable[..., Any], *arguments: Any) -> Any:
        if work == self._open:
            return work(*arguments)
        await self._take_time()
        done = work(*arguments)
        await self._take_time()
        return done

    async def _take_time(self) -> None:
        await asyncio.sleep(self._scene.rng.choice(self._scene.commits_take_s))
        if self.is_dead:
            raise AgentDied

    def _commit(self, records: tuple[Record, ...]) -> list[Event]:
        events = super()._commit(records)
        self._promises.journalled(records)
        return events

    def leave(self) -> None:
        """Closes the file without a word."""
        if self._connection is not None:
            self._connection.close()
        self._thread.shutdown()


class SimulatedEngines(OneEngine):
    """There is one engine, and it is there all the time."""

    async def met(self, _: object) -> None:
        """It was before."""


class Agent:
    """Begins when it is made; `platform` is there once it has recovered."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._promises = scene.promises
        self._journal = SimulatedJournal(scene)
        self._link = Link(scene.machine, scene.promises)
        self._log = CompartmentLog(scene.home.logs)
        self._clients: set[asyncio.Task[None]] = set()
        self.platform: Platform | None = None
        self._task = asyncio.create_task(self._live())

    async def _live(self) -> None:
        await self._journal.open()
        ledger = Ledger(self._journal, self._log)
        engines = cast("Engines", SimulatedEngines(self._link))
        gateway = cast("Gateway", gateway_of(self._link))
        router = Router(ledger, gateway, engines)
        probes = cast("httpx.AsyncClient", None)  # instances bring their own check
        parts = Parts(self._scene.home, ledger, router, engines, probes, asyncio.Semaphore(2))
        async with asyncio.TaskGroup() as tasks:
            platform = Platform(parts, gateway, tasks)
            await ledger.load()
            await platform.recover()
            self.platform = platform
            await asyncio.get_running_loop().create_future()

    def ask(self, doing: Coroutine[Any, Any, object]) -> None:
        """What a front end asks for; what cannot be done now is not done."""
        task = asyncio.create_task(self._asked(doing))
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)

    async def _asked(self, doing: Coroutine[Any, Any, object]) -> None:
        try:
            await doing
        except CompartmentError as error:
            self._promises.seen.append(f"refused: {error.message}")
        except Exception as error:
            logging.getLogger("core").exception("a front end met a bug")
            self._promises.broken = self._promises.broken or repr(error)

    def check_alive(self) -> None:
        """Raises what it died of, if it did by itself."""
        if self._task.done():
            self._task.result()
            raise AssertionError("the agent ended by itself")

    @property
    def is_asked(self) -> bool:
        """Whether a front end waits for a reply."""
        return bool(self._clients)

    async def die(self) -> None:
        """Ends in the middle of whatever it does."""
        self._promises.seen.append("THE AGENT DIES")
        self._link.is_dead = self._journal.is_dead = True
        self._scene.machine.gates.abandon(self._scene.rng)
        for task in (self._task, *self._clients):
            task.cancel()
        await asyncio.wait([self._task, *self._clients])
        self._journal.leave()
        self._log.close()
        self._promises.held.clear()
        died_of = None if self._task.cancelled() else self._task.exception()
        assert died_of is None or not _others([died_of]), f"while it died: {died_of!r}"


def _others(errors: Sequence[BaseException]) -> list[BaseException]:
    """What is no consequence of its death."""
    found: list[BaseException] = []
    for each in errors:
        if isinstance(each, BaseExceptionGroup):
            found += _others(each.exceptions)
        elif not isinstance(each, AgentDied | asyncio.CancelledError):
            found.append(each)
    return found
