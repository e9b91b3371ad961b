"""A running instance, as the agent sees it: a container, and what the engine tells of it."""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from core.engines.base import Exit, Life, OwnHealth
from core.engines.docker import (
    container_names,
    containers,
    healthcheck,
    labels,
    listening,
    silence,
)
from core.engines.docker.beside import run_argv
from core.engines.docker.exits import exit_by, exit_of
from core.engines.docker.wiring import BRIDGE, is_own
from core.errors import CompartmentError, EngineUnavailable, NotFound
from core.lines import clean, shorten
from core.model import Health

if TYPE_CHECKING:
    from core.engines.base import Address, OwnCheck, Ran
    from core.engines.docker.connection import Docker
    from core.engines.docker.logs import LogReader
    from core.secrets import Mask

Json = dict[str, Any]

_LOOK_AGAIN_S: Final = 1.0
"""While the engine is about to start it: when that fails, nothing is told."""

_READ_S: Final = 0.5
"""How long an end is held back for the last lines before it."""

_DETAIL_CHARACTERS: Final = 200
_HEALTH: Final = {"healthy": Health.HEALTHY, "unhealthy": Health.UNHEALTHY}
_NO_CHECK: Final = "none"
_CREATED: Final = "created"
_TELLING: Final = ("die", "start", "destroy", "health_status", "disconnect")
_STOPPED: Final = "15"
"""What `docker stop` sends, unless the image says something else."""


class DockerInstance:
    """One instance. Every change is told by an event; then its container is looked at."""

    def __init__(self, docker: Docker, container: Json, reader: LogReader) -> None:
        described = container["Config"]["Labels"]
        self.id: str = container["Id"]
        self.name: str = described[labels.INSTANCE]
        host, _, port = described[labels.ADDRESS].rpartition(":")
        self._host, self._port = host, int(port)
        self.exit: Exit | None = None
        self.own_health: OwnHealth | None = None
        self.life = Life()
        self.reader = reader
        self.is_kept = containers.is_kept(container)
        self._docker = docker
        self._container = container
        self._endpoints = _endpoints(container, host)
        self._was_lost = False
        """Whether something may have been missed since it was last seen at rest."""
        self._signals: set[str] = set()
        """That it was sent through the engine, since it was started."""
        self._counted_before = 0
        self._told_health: Health | None = None
        self._health_news = asyncio.Event()
        self._changed = asyncio.Event()
        self._news = asyncio.Event()
        self._looking = asyncio.Lock()
        self._ended = asyncio.Event()
        self._gone = asyncio.Event()
        self._learn(container)

    @property
    def pid(self) -> int | None:
        """Its first process, as the engine's machine counts; None while it does not run."""
        return self._container["State"]["Pid"] or None

    @property
    def address(self) -> Address:
        """Where it is expected to answer; without a host where it cannot be reached from here."""
        return self._host, self._port

    @property
    def fixed_addresses(self) -> list[str]:
        """Those that were reserved for it."""
        configs = [each.get("IPAMConfig") or {} for each in self._endpoints.values()]
        return [each["IPv4Address"] for each in configs if "IPv4Address" in each]

    def address_of(self, port: int) -> Address | None:
        """Where one of its ports answers; None where it cannot be reached from here."""
        published = containers.published(self._container)
        if published:
            return published.get(port)
        return (self._host, port) if self._host else None

    async def listens(self) -> tuple[int, ...] | None:
        """The TCP ports that it listens on for others now; None where that cannot be known."""
        return await listening.ports_of(self._docker, self._container)

    @property
    def restarts(self) -> int:
        """How often it ended by itself and was started again."""
        counted: int = self._container["RestartCount"]
        return self._counted_before + counted

    def hear(self, action: str, attributes: Json) -> None:
        """Takes note of an event of its container."""
        if action == "kill":
            self._signals.add(attributes.get("signal", ""))
        if action == "die":
            # The container itself has forgotten when it was started again since.
            ended = exit_by(int(attributes.get("exitCode", 0)))
            self._live(Life(is_up=False, restarts=self.restarts, last_exit=ended))
        if action == "start":
            self.wake()
        if action == "destroy":
            self._gone.set()
        if action.startswith(_TELLING):
            self._news.set()

    def wake(self) -> None:
        """Begins with a start: its output is read, and what it is, is looked at."""
        self._signals.clear()
        self.reader.wake()
        self._news.set()

    async def watch(self) -> None:
        """Looks whenever there is something to see, until it has ended for good."""
        is_sure = True
        while not self._ended.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(None if is_sure else _LOOK_AGAIN_S):
                    await self._news.wait()
            self._news.clear()
            is_sure = await self._look()

    async def _look(self) -> bool:
        """Whether what is seen stays so until something else is told."""
        try:
            await self.look()
        except EngineUnavailable:
            return True  # it is looked at when the engine is back
        except CompartmentError:
            return False
        return not _is_restarting(self._container)

    async def look(self, *, is_after_loss: bool = False) -> None:
        """Finds out how it is; after a loss events may have been missed.

        Raises:
            EngineUnavailable: that cannot be known now.
        """
        async with self._looking:
            if is_after_loss:
                self._was_lost = True
                self.reader.wake()
            try:
                container = await self._seen()
                if self._endpoints.keys() - container["NetworkSettings"]["Networks"].keys():
                    container = await self._connect_again(container)
                if self._comes_back(container):
                    container = await self._start_again()
            except NotFound:
                self._gone.set()
                await self._end(Exit(error="was removed by somebody else"))
                return
            self._learn(container)
            self._was_lost = self._was_lost and _is_restarting(container)
            if self._was_lost and is_after_loss:
                self._news.set()  # `watch` looks on
            if _has_ended(container):
                await self._end(exit_of(container))

    def _comes_back(self, container: Json) -> bool:
        """Whether it is live and down for a reason that the engine does not care for.

        An engine that stops takes its containers along, and not all of them come back with it.
        What got any signal from `docker kill` it takes for ended on purpose, as with `docker stop`.
        """
        if not _has_ended(container) or not self.is_kept or self.exit is not None:
            return False
        was_killed = bool(self._signals) and self._signals.isdisjoint(_stop_signals(container))
        return self._was_lost or (was_killed and containers.may_restart(container, self.restarts))

    async def _start_again(self) -> Json:
        await self._docker.check_stays()
        if not self._was_lost:
            self._counted_before += 1
        with suppress(CompartmentError):  # what it is afterwards tells why
            await self._docker.order("POST", f"/containers/{self.id}/start")
        return await self._seen()

    async def _connect_again(self, container: Json) -> Json:
        """Has it where it was, after somebody took it off a network."""
        for network in self._endpoints.keys() - container["NetworkSettings"]["Networks"].keys():
            with suppress(CompartmentError):  # what it is afterwards tells why
                body = {"Container": self.id, "EndpointConfig": self._endpoints[network]}
                await self._docker.order("POST", f"/networks/{network}/connect", body)
        return await self._seen()

    async def _seen(self) -> Json:
        found: Json = await self._docker.get(f"/containers/{self.id}/json")
        return found

    def _learn(self, container: Json) -> None:
        """Takes over what the engine says of it."""
        # It counts from zero again when a container is started by hand.
        if container["RestartCount"] < self._container["RestartCount"]:
            self._counted_before += self._container["RestartCount"]
        self._container = container
        self._host = _given_host(container) or self._host
        self.own_health = _own_health(container["State"].get("Health"), self.reader.mask)
        self._health_news.set()
        self._live(self._life())

    def _live(self, life: Life) -> None:
        self.life = life
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _life(self) -> Life:
        state = self._container["State"]
        # While it waits for its next start, the engine says that it runs as well.
        is_up = state["Running"] and not state["Restarting"]
        if state["Status"] == _CREATED:
            return Life()
        # Of one that runs it has forgotten how it ended before.
        last_exit = self.life.last_exit if is_up else exit_of(self._container)
        # The engine counts a restart when it begins to wait for it.
        return Life(is_up, self.restarts - state["Restarting"], last_exit)

    async def _end(self, exit_: Exit) -> None:
        self.exit = self.exit or replace(exit_, was_asked=bool(self._signals))
        with suppress(TimeoutError):
            async with asyncio.timeout(_READ_S):
                await self.reader.wait_read()
        self._ended.set()

    async def wait_exit(self) -> Exit:
        """Returns when it has ended for good, and its last lines are kept."""
        await self._ended.wait()
        assert self.exit is not None
        return self.exit

    async def wait_gone(self) -> None:
        """Returns when its container was removed, by whomever."""
        await self._gone.wait()

    async def next_life(self, known: Life) -> Life:
        """Returns when that is not what is known of it."""
        while self.life == known:
            await self._changed.wait()
        return self.life

    async def next_health(self) -> OwnHealth:
        """Returns when its own check says something else than was returned last."""
        while self.own_health is None or self.own_health.health is self._told_health:
            self._health_news.clear()
            await self._health_news.wait()
        self._told_health = self.own_health.health
        return self.own_health

    @property
    def own_check(self) -> OwnCheck | None:
        """The check of its container."""
        return healthcheck.own_check(self._container["Config"])

    async def try_own_check(self, limit_s: float) -> Ran:
        """Runs the check of its container once."""
        argv = healthcheck.argv_of(self._container["Config"])
        return await run_argv(self._docker, self.id, argv, limit_s, self.reader.mask)

    async def keep(self) -> None:
        """From now on its restart policy applies, and it comes back with the engine."""
        update = containers.kept(self._container)
        await self._docker.order("POST", f"/containers/{self.id}/update", update)
        self.is_kept = True
        await self._take_its_name()

    async def _take_its_name(self) -> None:
        """Gets the name that its service asks for; where it cannot, it goes on without."""
        described = self._container["Config"]["Labels"]
        if (name := described.get(labels.NAME)) is None:
            return
        try:
            await container_names.give(self._docker, self.id, name, described)
        except EngineUnavailable:
            raise
        except CompartmentError as error:
            self.reader.note(str(error))

    async def foreign_listener(self) -> str | None:
        """Nobody: its address is its own."""
        return None

    async def explain_silence(self) -> str | None:
        """Where it listens instead, if that can be seen from here."""
        if self.pid is None:
            return None
        variables = self._container["Config"]["Env"] or ()
        is_told = any(each.startswith("PORT=") for each in variables)
        return await silence.explain(self.pid, self.id, self.address[1], is_told=is_told)


def _has_ended(container: Json) -> bool:
    return not (container["State"]["Running"] or _is_restarting(container))


def _is_restarting(container: Json) -> bool:
    """Whether the engine waits before it starts it again."""
    found: bool = container["State"]["Restarting"]
    return found


def _stop_signals(container: Json) -> set[str]:
    """As numbers, as events tell them; named as `SIGINT`, `int`, `2` or `RTMIN+3`."""
    named = (container["Config"].get("StopSignal") or _STOPPED).upper().removeprefix("SIG")
    name, _, more = named.partition("+")
    known = {each.name.removeprefix("SIG"): int(each) for each in signal.Signals}
    number = named if named.isdecimal() else str(known.get(name, 0) + int(more or 0))
    return {_STOPPED, number}


def _endpoints(container: Json, host: str) -> dict[str, Json]:
    """How it is to be attached to each of its networks."""
    told = container["Config"]["Labels"].get(labels.ENDPOINTS)
    network = container["HostConfig"]["NetworkMode"]
    if told or not is_own(network) or network == BRIDGE:
        return json.loads(told) if told else {}
    # Of one that was started by an older version nothing is told.
    attached = container["NetworkSettings"]["Networks"].get(network)
    known = attached or {"IPAMConfig": {"IPv4Address": host}, "Aliases": []}
    return {network: {name: known[name] for name in ("IPAMConfig", "Aliases")}}


def _given_host(container: Json) -> str:
    """Where this machine reaches it now, if the engine has chosen that."""
    network = container["Config"]["Labels"].get(labels.REACHED_ON)
    attached = container["NetworkSettings"]["Networks"].get(network) or {}
    return str(attached.get("IPAddress", ""))


def _own_health(state: Json | None, mask: Mask) -> OwnHealth | None:
    if not state or state["Status"] == _NO_CHECK:
        return None
    said = state["Log"][-1]["Output"].strip().splitlines() if state.get("Log") else []
    detail = shorten(mask.mask(clean(said[-1])))[:_DETAIL_CHARACTERS] if said else ""
    return OwnHealth(_HEALTH.get(state["Status"], Health.PENDING), detail)
