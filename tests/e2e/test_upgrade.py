"""The agent and Envoy are replaced by those of a newer version, under load; nothing is lost."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from core import __version__
from tests.e2e.clients import get
from tests.e2e.earlier import earlier_house
from tests.load.load import Load

if TYPE_CHECKING:
    from pathlib import Path

    from tests.figures import FiguresRecorder


@pytest.mark.timeout(300)  # the first time on a machine, an earlier Envoy is installed
async def test_nothing_is_lost_in_an_upgrade(
    home: Path, tmp_path: Path, counts: FiguresRecorder
) -> None:
    async with earlier_house(home, tmp_path / "earlier") as house:
        lab = house.lab(tmp_path)
        lab.write(web={}, backoffice={"kind": "api"})
        await house.deployed(lab)
        before = (await house.agent_pid(), house.gateway_pid())
        target = await house.target()
        async with Load(target) as load, asyncio.TaskGroup() as group:
            await load.has_sent(200)
            sent = load.report().sent
            # One that the Envoy of before has to finish, beside a deploy that ends its instance.
            slow = group.create_task(get(target, "/slow?ms=9000"))
            await lab_has_begun(load, sent)
            started = time.monotonic()
            await house.client.attach()
            seconds = time.monotonic() - started
            after = (await house.agent_pid(), house.gateway_pid())
            lab.bump()
            result = await house.deployed(lab)
            assert result["run"]["cutRequests"] == 0
            assert (await slow).status == 200
            await load.has_sent(load.report().sent + 200)
            lab.bump()
            await house.deployed(lab)
        report = load.report()
        assert (await house.client.agent())["version"] == __version__
        assert before[0] != after[0]
        assert before[1] != after[1]
        assert await house.target() == target
        counts("upgrade of the agent and of Envoy", seconds, "s")
        counts("requests sent over an upgrade", report.sent, "requests")
        counts("requests lost in it", len(report.lost), "requests", 0)
        counts("streams broken off in it", report.streams_cut, "streams", 0)
        assert [str(loss) for loss in report.lost] == []
        assert report.cut_off == ()
        assert lab.access_log.not_exactly_once(report.ids) == {}
        assert (await get(target, "/version")).version == "v3"


async def lab_has_begun(load: Load, sent: int) -> None:
    """Returns when what was sent before this has reached the gateway."""
    await load.has_sent(sent + 50)
