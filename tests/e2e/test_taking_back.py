"""Runs that a person steps into: a rollback while the old one drains, and a run that is held."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from core.errors import Conflict
from tests.e2e.clients import get

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject
    from tests.figures import FiguresRecorder

pytestmark = pytest.mark.engines("process", "docker")


@pytest.mark.timeout(120)
async def test_a_rollback_takes_back_what_still_drains(
    running: House, lab: LabProject, figures: FiguresRecorder
) -> None:
    await running.deployed(lab)
    first = (await running.status(lab))["web"]
    before = running.instance_names()
    target = await running.target()
    lab.bump()
    async with asyncio.TaskGroup() as group:
        long = group.create_task(get(target, "/slow?ms=6000"))
        deploy = await running.submit(lab)
        await running.until(deploy, "RoutesSwitched")
        assert (await get(target, "/")).version == "v2"
        asked_at = time.monotonic()
        rollback = await running.submit(lab, "rollback")
        await running.until(rollback, "RoutesSwitched")
        figures("a rollback during a drain serves after", time.monotonic() - asked_at, "s", 1.5)
        assert (await get(target, "/")).version == "v1"
        assert not long.done()
        result = await running.end(rollback)
        assert result["run"]["status"] == "succeeded", result["failureMessage"]
        assert (await running.end(deploy))["run"]["status"] == "succeeded"
    reply = long.result()
    assert (reply.status, reply.version) == (200, "v1")
    (active,) = (await running.active(lab))["web"]
    assert active["id"] == first["id"]
    assert running.instance_names() == before
    assert lab.access_log.named("sigterm", "v1") == []


@pytest.mark.timeout(120)
async def test_a_held_run_waits_before_its_switch(running: House, lab: LabProject) -> None:
    await running.deployed(lab)
    target = await running.target()
    lab.bump()
    run_id = await running.submit(lab)
    assert (await running.client.hold(run_id))["isHeld"]
    await running.until(run_id, "ReadinessPassed")
    assert (await get(target, "/")).version == "v1"
    assert not (await running.client.resume(run_id))["isHeld"]
    result = await running.end(run_id)
    assert result["run"]["status"] == "succeeded"
    assert (await get(target, "/")).version == "v2"
    with pytest.raises(Conflict, match=r"is over|past the switch"):
        await running.client.hold(run_id)
    lab.bump()
    run_id = await running.submit(lab)
    await running.client.hold(run_id)
    await running.until(run_id, "ReadinessPassed")
    await running.client.cancel(run_id)
    assert (await running.end(run_id))["run"]["failureCode"] == "cancelled"
    assert (await get(target, "/")).version == "v2"
