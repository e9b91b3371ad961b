"""Where a live Compose service is reached: ports that open late, addresses that change."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from core.container import Container, Protocol
from core.engines.base import Life
from core.health.addresses import AddressWatch
from core.health.ports import PortWatch
from core.journal import Journal
from core.logs.writer import CompartmentLog
from core.model import Service, ServiceKind, Stage, Status
from core.promotion.ledger import Ledger
from core.records import Activation, ActivationState, ServedPort
from tests.promotion.records import deployment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from core.engines.base import Address

DEPLOYED = deployment(
    service=Service("cache", "", ServiceKind.TCP, container=Container(image="cache")),
    status=Status.SUCCEEDED,
    stage=Stage.ACTIVE,
    is_active=True,
)
LIVE = Activation(
    DEPLOYED.id,
    1,
    ActivationState.LIVE,
    "",
    addresses=(("10.0.0.2", 6379),),
    ports=(ServedPort(6379, Protocol.TCP, (("10.0.0.2", 6379),)),),
)


class Running:
    """An instance that can be started again somewhere else, and may listen on more ports."""

    def __init__(self) -> None:
        self.host = "10.0.0.2"
        self.ports: tuple[int, ...] = (6379,)
        self.life = Life()
        self.exit = None
        self._changed = asyncio.Event()

    @property
    def address(self) -> Address:
        return self.host, 6379

    def address_of(self, port: int) -> Address | None:
        return self.host, port

    async def listens(self) -> tuple[int, ...]:
        return self.ports

    async def next_life(self, known: Life) -> Life:
        while self.life == known:
            await self._changed.wait()
            self._changed.clear()
        return self.life

    def start_again_at(self, host: str) -> None:
        self.host = host
        self.life = replace(self.life, restarts=self.life.restarts + 1)
        self._changed.set()


class Works:
    """A ledger with one live activation, its instance, and how often routes were written."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.router = self
        self.instance = Running()
        self.holds_names = True
        self.refreshed = 0

    def engine_behind(self, _: Activation) -> Works:
        return self

    async def adopt(self, _: str) -> Running:
        return self.instance

    async def refresh(self) -> None:
        self.refreshed += 1

    open_entrances = refresh

    @property
    def live(self) -> Activation:
        return self.ledger.activations[LIVE.name]

    async def until(self, so: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not so():
                await asyncio.sleep(0.01)


@pytest.fixture
async def works(tmp_path: Path) -> AsyncIterator[Works]:
    journal, log = Journal(tmp_path / "journal.db"), CompartmentLog(tmp_path / "logs")
    await journal.open()
    ledger = Ledger(journal, log)
    await ledger.write(DEPLOYED, LIVE)
    yield Works(ledger)
    log.close()
    await journal.close()


@asynccontextmanager
async def followed(kind: type[AddressWatch | PortWatch], works: Works) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(kind(cast("Any", works), LIVE).follow())
        yield
        task.cancel()


async def test_who_is_started_again_elsewhere_is_found_there(works: Works) -> None:
    async with followed(AddressWatch, works):
        works.instance.start_again_at("10.0.0.9")
        await works.until(lambda: works.refreshed == 1)
    assert works.live.addresses == (("10.0.0.9", 6379),)
    assert works.live.ports[0].addresses == (("10.0.0.9", 6379),)


async def test_who_is_started_again_in_place_changes_nothing(works: Works) -> None:
    async with followed(AddressWatch, works):
        works.instance.start_again_at("10.0.0.2")
        works.instance.start_again_at("10.0.0.3")
        await works.until(lambda: works.refreshed == 1)


async def test_who_has_moved_while_no_agent_ran_is_found(works: Works) -> None:
    works.instance.host = "10.0.0.7"
    async with followed(AddressWatch, works):
        await works.until(lambda: works.refreshed == 1)
    assert works.live.addresses == (("10.0.0.7", 6379),)


async def test_what_does_not_say_where_it_is_stays_where_it_was(works: Works) -> None:
    works.instance.host = ""
    async with followed(AddressWatch, works):
        works.instance.start_again_at("10.0.0.4")
        await works.until(lambda: works.refreshed == 1)
    assert works.live.addresses == (("10.0.0.4", 6379),)


async def test_a_port_that_opens_late_is_led_to(works: Works) -> None:
    async with followed(PortWatch, works):
        works.instance.ports = (6379, 5432)
        await works.until(lambda: works.refreshed == 1)
    assert [each.number for each in works.live.ports] == [6379, 5432]
    assert works.live.ports[1].addresses == (("10.0.0.2", 5432),)
