"""Switches of the services behind a gateway, under a load that waits for no reply."""

from __future__ import annotations

import asyncio
import math
import statistics
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from tests.load.connection import Connection, request_head
from tests.load.load import Load
from tests.load.outcome import LossKind, RequestLost
from tests.load.plan import NO_LOAD
from tests.load.requests import take_reusable

if TYPE_CHECKING:
    from collections import deque

    from tests.load.plan import RequestClass, Target
    from tests.load.report import Report

LOAD = replace(NO_LOAD, fresh_per_s=100, keep_alive_per_s=400, keep_alive_clients=32)
SWITCHES = 40
LASTING_S = 12.0
_LIMIT_S = 30.0


class Switched(Protocol):
    """A gateway that leads to one of two versions."""

    @property
    def plain(self) -> Target:
        """Where it listens."""

    async def switch(self, version: int) -> None:
        """Has it lead to another one."""


@dataclass(frozen=True, slots=True)
class Switch:
    """Times are of the monotonic clock, in seconds."""

    version: str
    asked_at: float
    answered_at: float
    """When the new version had replied for the first time."""


@dataclass(frozen=True, slots=True)
class Switches:
    """What a row of switches has cost."""

    done: tuple[Switch, ...]
    report: Report

    @property
    def median_ms(self) -> float:
        """From the asking to the first reply of the new version."""
        return statistics.median(each.answered_at - each.asked_at for each in self.done) * 1000

    @property
    def late(self) -> int:
        """How many requests the old version answered that were sent when the new one had replied.

        Only those are counted that were over before the next switch was asked for.
        """
        ends = [each.asked_at for each in self.done[1:]] + [math.inf]
        return sum(
            switch.answered_at < reply.start.monotonic
            and reply.end.monotonic < end
            and reply.version != switch.version
            for switch, end in zip(self.done, ends, strict=True)
            for reply in self.report.answered
        )


async def switches_under_load(gateway: Switched) -> Switches:
    """As many switches as there is time for, evenly spread."""
    done: list[Switch] = []
    async with Load(gateway.plain, LOAD, Asking(gateway.plain)) as load:
        await load.has_sent(200)
        began = time.monotonic()
        for number in range(1, SWITCHES + 1):
            await asyncio.sleep(began + (number - 1) * LASTING_S / SWITCHES - time.monotonic())
            if time.monotonic() - began > LASTING_S:
                break
            done.append(await _one_switch(gateway, number % 2))
        await load.has_sent(load.report().sent + 200)
    report = load.report()
    return Switches(tuple(done), report)


async def _one_switch(gateway: Switched, version: int) -> Switch:
    asking = Asking(gateway.plain)
    began = time.monotonic()
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(_LIMIT_S):
        tasks.create_task(gateway.switch(version))
        # On connections of their own: one that is kept may stay with the process before.
        while await asking.version() != str(version):
            pass
        answered = time.monotonic()
    return Switch(str(version), began, answered)


class Asking:
    """Sends the requests of a load to the services behind a gateway."""

    def __init__(self, target: Target) -> None:
        self._target = target

    async def send(
        self, request_class: RequestClass, number: str, idle: deque[Connection] | None
    ) -> str:
        """One request; returns the version that has answered."""
        connection = take_reusable(idle) or await Connection.open(self._target)
        is_kept = False
        try:
            connection.write(request_head("GET", f"/api/{number}", self._target))
            head = await connection.read_head()
            body = (await connection.read_body(head)).decode()
            if head.status != 200:
                raise RequestLost(LossKind.STATUS, body[:100], head.status)
            service, path = body.split(" ")[:2]
            if path != f"/{number}":
                raise RequestLost(LossKind.WRONG_REPLY, body[:100])
            if idle is not None and connection.is_reusable:
                idle.append(connection)
                is_kept = True
            return service.removeprefix("api-")
        finally:
            if not is_kept:
                connection.close()

    async def version(self) -> str | None:
        """The version that answers a request on a new connection; None if none does."""
        try:
            with await Connection.open(self._target) as connection:
                connection.write(request_head("GET", "/api/version", self._target))
                head = await connection.read_head()
                told = (await connection.read_body(head)).decode()
                return told.partition(" ")[0].removeprefix("api-")
        except RequestLost:
            return None
