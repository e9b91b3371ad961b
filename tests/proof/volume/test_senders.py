"""Senders account for all that they send."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.load.lab import running_lab
from tests.load.plan import NO_LOAD
from tests.proof.volume.senders import sending
from tests.proof.volume.verdict import not_exactly_once

if TYPE_CHECKING:
    from pathlib import Path

PLAN = replace(
    NO_LOAD,
    fresh_per_s=30,
    keep_alive_per_s=30,
    keep_alive_clients=3,
    posts_per_s=5,
    post_bytes=1000,
    sse_clients=1,
    websocket_clients=1,
    stream_s=0.3,
    timeout_s=60,
)


async def test_two_senders(tmp_path: Path) -> None:
    async with running_lab(tmp_path, version="7") as lab:
        async with sending(lab.target, PLAN, 2, tmp_path) as senders:
            await senders.has_sent(100)
        accounts = senders.accounts
        assert sum(each.answered for each in accounts) >= 100
        assert all(each.answered == len(each.starts) > 0 for each in accounts)
        assert all(each.versions == ["7"] for each in accounts)
        assert all(each.streams and not each.lost for each in accounts)
        assert not_exactly_once(accounts, lab.log_path) == 0
