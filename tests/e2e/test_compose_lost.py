"""A Compose project after a power cut: agent, gateway, engine and containers, all at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

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

PLACES = [("api", 8000), ("db", 5432)]


async def test_it_comes_back_with_its_engine(
    running: House, tmp_path: Path, docker_socket: str, engine_faults: Faults
) -> None:
    project = ComposeProject.made(tmp_path, "three-networks")
    project.override('services: {app: {ports: ["127.0.0.1::8000"]}}\n')
    await running.deployed(project)
    at = await published(running, project, "app")
    active = await running.active(project)
    for pid in (await running.agent_pid(), running.gateway_pid()):
        kill(pid)
    await engine_faults.kill()
    await running.client.attach()
    await answers(at)
    await faults.until_seen(running, project, faults.all_healthy)
    inside = Inside(docker_socket, running, project)
    assert await inside.reaches("app", PLACES) == ["reached", "nothing"]
    assert await inside.reaches("api", PLACES) == ["reached", "reached"]
    after = await running.active(project)
    assert {name: found[0]["id"] for name, found in after.items()} == {
        name: found[0]["id"] for name, found in active.items()
    }
    await running.deployed(project, "redeploy")


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
