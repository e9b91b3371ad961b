"""The home folder is removed while all of it is used: nobody is in two minds about who has it."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest

from core.agent import launcher
from core.errors import NotFound
from core.gateway.table import Ports
from tests.e2e.clients import get

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject


@pytest.mark.timeout(120)
async def test_a_home_that_is_removed_under_its_agent(running: House, lab: LabProject) -> None:
    await running.deployed(lab)
    target, agent = await running.target(), await running.agent_pid()
    shutil.rmtree(running.home.root)
    async with asyncio.timeout(60):
        await launcher.wait_ended(agent)
    # The traffic does not depend on it, until somebody begins anew.
    assert (await get(target, "/version")).version == "v1"
    await running.client.attach(ports=Ports(0, 0))
    with pytest.raises(NotFound):
        await running.status(lab)
    await running.deployed(lab)
    (active,) = (await running.active(lab))["web"]
    assert running.instance_names() == {f"{active['id']}.1"}
    # What the first agent had started has ended.
    assert len(running.first_pids()) == 1
