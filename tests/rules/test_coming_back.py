"""What stood aside and came back is as it is now, not as it was before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.records import Target
from tests.rules.shop import NAME, WEB

if TYPE_CHECKING:
    from core.records import Activation
    from tests.rules.shop import Shop


def live(shop: Shop) -> Activation:
    ledger = shop.platform.ledger
    found = ledger.live(ledger.active(Target(NAME, "production"))["web"].id)
    assert found is not None
    return found


async def test_it_is_up_since_it_came_back(a_shop: Shop) -> None:
    a_shop.write(web={**WEB, "strategy": "stop-first"})
    await a_shop.play("deploy")
    before = live(a_shop)
    assert await a_shop.play("end web; deploy") == "failed; web@1"
    after = live(a_shop)
    assert after.name == before.name
    assert after.started_at > before.started_at
