"""What happens at the same time: runs, an environment taken down, an engine that comes back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.clients import get

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject

pytestmark = pytest.mark.timeout(90)


def target_of(lab: LabProject) -> dict[str, Any]:
    return {"project": lab.name, "environment": "production"}


@pytest.mark.engines("process", "docker")
async def test_a_deploy_that_waits_for_down_keeps_its_environment(
    running: House, lab: LabProject
) -> None:
    await running.deployed(lab)
    public = await running.target()
    lab.bump()
    async with asyncio.TaskGroup() as group:
        held = group.create_task(get(public, "/slow?ms=1500"))
        await get(public, "/")  # by now the other one is there as well
        down = group.create_task(running.client.down(target_of(lab)))
        await _is_down(running, lab)
        run_id = await running.submit(lab)
    assert held.result().status == 200
    assert down.result()["stopped"] == ["web"]
    result = await running.end(run_id)
    assert result["run"]["status"] == "succeeded", result["failureMessage"]
    environments = (await running.client.environments())["environments"]
    assert [each["engine"] for each in environments] == [running.engine]
    assert (await running.client.down(target_of(lab)))["stopped"] == ["web"]
    assert (await running.client.environments())["environments"] == []


async def _is_down(running: House, lab: LabProject) -> None:
    while await running.active(lab):
        await asyncio.sleep(0.02)
