"""A run is held before its switch, as long as nothing serves less because of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from core.errors import Conflict
from core.records import Target
from tests.rules.shop import NAME, WEB

if TYPE_CHECKING:
    from tests.rules.shop import Shop


async def test_what_has_stopped_first_is_not_kept_from_serving(a_shop: Shop) -> None:
    a_shop.write(
        web={**WEB, "strategy": "stop-first", "readiness": {"type": "http", "timeoutMs": 60_000}}
    )
    await a_shop.play("deploy; break web")
    platform = a_shop.platform
    run = await platform.runs.submit(
        await a_shop.request("deploy", Target(NAME, "production"), [], {})
    )
    async with asyncio.timeout(60):
        while not platform.ledger.aside(run.id):
            await platform.ledger.wait_change()
    with pytest.raises(Conflict, match="cannot be held any more"):
        await platform.runs.hold(run.id)
    await a_shop.do("mend web")
    ended = await a_shop.end(run)
    assert ended["run"]["status"] == "succeeded", ended["failureMessage"]
    assert a_shop.active() == ["web@2"]
