"""The one place where routes are switched, before a gateway that ends in the middle."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from core.errors import GatewayUnavailable
from core.journal import Journal
from core.logs.writer import CompartmentLog
from core.model import EngineName
from core.promotion.ledger import Ledger
from core.promotion.routing import Router
from core.records import EnvironmentRecord, HostRecord
from tests.one_engine import one_engine
from tests.promotion.records import TARGET

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.gateway.table import Table


class EndingGateway:
    """Takes no table; `envoy` is one that has ended, or refuses."""

    def __init__(self, *, is_running: bool) -> None:
        self.envoy = SimpleNamespace(is_running=is_running)

    async def apply(self, _: Table) -> float:
        raise GatewayUnavailable("no")


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    journal = Journal(tmp_path / "journal.db")
    await journal.open()
    log = CompartmentLog(tmp_path / "logs")
    found = Ledger(journal, log)
    await found.write(
        EnvironmentRecord(TARGET, EngineName.PROCESS, "/"),
        HostRecord("shop.localhost", TARGET, "web", is_public=True, inner_port=20_000),
    )
    yield found
    log.close()
    await journal.close()


@pytest.mark.parametrize("is_running", [False, True])
async def test_entrances_wait_for_a_gateway_that_is_started_again(
    ledger: Ledger, is_running: bool
) -> None:
    gateway = EndingGateway(is_running=is_running)
    router = Router(ledger, cast("Any", gateway), one_engine(None))
    if is_running:
        with pytest.raises(GatewayUnavailable):
            await router.open_entrances()
    else:
        await router.open_entrances()
