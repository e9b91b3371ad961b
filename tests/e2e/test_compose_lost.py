"""Three services on three networks, and a power cut: agent, gateway and engine, all at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from core.engines.docker.labels import Role
from tests.e2e import faults
from tests.e2e.clients import get
from tests.e2e.compose_project import ComposeProject, Inside, published
from tests.e2e.house import kill
from tests.load.outcome import RequestLost

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.house import House
    from tests.engine.plugin import Faults
    from tests.load.plan import Target

pytestmark = [
    pytest.mark.engines("docker"),
    pytest.mark.docker("postgres", "python"),
    pytest.mark.timeout(120),
]


async def test_it_comes_back_with_its_engine(
    running: House, tmp_path: Path, docker_socket: str, engine_faults: Faults
) -> None:
    project = ComposeProject.made(tmp_path, "three-networks")
    project.override('services: {app: {ports: ["127.0.0.1::8000"]}}\n')
    await running.deployed(project)
    at = await published(running, project, "app")
    inside = Inside(docker_socket, running, project)
    await reach_as_drawn(inside)
    active = await running.active(project)
    for pid in (await running.agent_pid(), running.gateway_pid()):
        kill(pid)
    await engine_faults.kill()
    await running.client.attach()
    await answers(at)
    await faults.until_seen(running, project, faults.all_healthy)
    await reach_as_drawn(inside)
    after = await running.active(project)
    assert {name: found[0]["id"] for name, found in after.items()} == {
        name: found[0]["id"] for name, found in active.items()
    }
    await running.deployed(project, "redeploy")


async def reach_as_drawn(inside: Inside) -> None:
    """By name, and what is not on one's networks also by its address."""
    ((_, db),) = await inside.addresses("db", Role.INSTANCE)
    places = [("app", 8000), ("api", 8000), ("db", 5432), (db, 5432)]
    found = [await inside.reaches(each, places) for each in ("app", "api", "db")]
    assert found == [
        ["reached", "reached", "nothing", "nothing"],
        ["reached", "reached", "reached", "reached"],
        ["nothing", "reached", "reached", "reached"],
    ]


async def answers(at: Target) -> None:
    """Returns once there is an answer."""
    async with asyncio.timeout(faults.LIMIT_S):
        while True:
            try:
                if (await get(at, "/")).status == 200:
                    return
            except RequestLost:
                pass
            await asyncio.sleep(0.05)
