"""Users, before a gateway that does not take what it is told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from core.errors import GatewayUnavailable, NotFound
from core.journal import Journal
from core.logs.writer import CompartmentLog
from core.model import AccessMode, EngineName, Service, Status
from core.promotion.ledger import Ledger
from core.promotion.routing import Router
from core.promotion.users import add, names, remove
from core.records import EnvironmentRecord, HostRecord
from tests.one_engine import one_engine
from tests.promotion.records import TARGET, deployment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.gateway.table import Table

PASSWORD = "a password of the shop"


class Gateway:
    """Knows who may pass by the last table that it took; it takes none while it refuses."""

    def __init__(self) -> None:
        self.envoy = SimpleNamespace(is_running=True)
        self.users: list[str] = []
        self.is_refusing = False

    async def apply(self, table: Table) -> float:
        if self.is_refusing:
            raise GatewayUnavailable("the disk is full", hint="make room")
        self.users = [each.name for each in table.sites[0].users]
        return 0.0


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    journal = Journal(tmp_path / "journal.db")
    await journal.open()
    log = CompartmentLog(tmp_path / "logs")
    found = Ledger(journal, log)
    service = Service("web", ".", access_mode=AccessMode.AUTHENTICATED)
    await found.write(
        EnvironmentRecord(TARGET, EngineName.PROCESS, "/"),
        HostRecord("shop.localhost", TARGET, "web", is_public=True, inner_port=20_000),
        deployment(service=service, status=Status.SUCCEEDED, is_active=True),
    )
    yield found
    log.close()
    await journal.close()


async def test_what_the_gateway_did_not_take_is_said_kept_and_tried_again(ledger: Ledger) -> None:
    gateway = Gateway()
    router = Router(ledger, cast("Any", gateway), one_engine(None))
    await add(router, TARGET, "ann", PASSWORD)
    assert gateway.users == ["ann"]
    gateway.is_refusing = True
    with pytest.raises(GatewayUnavailable) as error:
        await add(router, TARGET, "bob", PASSWORD)
    assert error.value.message == "it is kept, but not in force yet: the disk is full"
    assert error.value.hint == "make room"
    with pytest.raises(GatewayUnavailable):
        await remove(router, TARGET, "ann")
    assert (names(router, TARGET), gateway.users) == (["bob"], ["ann"])
    gateway.is_refusing = False
    with pytest.raises(NotFound):
        await remove(router, TARGET, "ann")
    assert gateway.users == ["bob"]


async def test_users_are_those_of_the_next_agent(ledger: Ledger) -> None:
    router = Router(ledger, cast("Any", Gateway()), one_engine(None))
    for name in ("ann", "bob"):
        await add(router, TARGET, name, PASSWORD)
    await remove(router, TARGET, "ann")
    again = Ledger(ledger.journal, ledger.log)
    await again.load()
    assert again.users == ledger.users
    (bob,) = again.users.values()
    assert again.mask.mask(bob.digest) == "***"
