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


async def test_what_works_on_comes_back_and_what_has_done_its_work_does_not(
    running: House, tmp_path: Path, docker_socket: str, engine_faults: Faults
) -> None:
    """Neither has a restart policy, and both would end with exit code 0 when they are asked to."""
    project = ComposeProject.written(
        tmp_path,
        "two",
        """
        services:
          worker:
            image: python:3.12-slim
            command: [sh, -c, 'trap "exit 0" TERM; while :; do sleep 0.1; done']
          seed:
            image: python:3.12-slim
            command: [sh, -c, "sleep 2"]
        """,
    )
    await running.deployed(project)
    inside = Inside(docker_socket, running, project)
    async with asyncio.timeout(faults.LIMIT_S):
        while await inside.count("seed"):
            await asyncio.sleep(0.05)
    await engine_faults.restart()
    async with asyncio.timeout(faults.LIMIT_S):
        while not await inside.count("worker"):
            await asyncio.sleep(0.05)
    await faults.until_seen(running, project, faults.all_healthy)
    assert not await inside.count("seed")


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
