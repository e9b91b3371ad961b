"""Proof 5 of the Docker engine: however often something is deployed, no more is left of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import psutil
import pytest

from core.engines.docker.labels import Role, home_id, only
from tests.e2e.clients import get
from tests.e2e.house import house
from tests.e2e.small_project import SmallProject
from tests.engine.client import connected

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.house import House
    from tests.figures import FiguresRecorder

DEPLOYS = 50
KEPT = 5
WARM = DEPLOYS // 2
"""By then everything that is bounded has reached its bound: open logs, idle connections."""

SERVICES = 2
SETTLED_WITHIN_S = 60
MORE_MEMORY = 24_000_000
MORE_FILES = 5
MORE_DISK = 100_000 * (DEPLOYS - WARM)
"""The journal and the logs keep something of each deployment."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is of something."""

    containers: int
    images: int
    networks: int
    volumes: int
    layers: int
    """Images of any kind on the engine, ours or left without a name by our builds."""
    agent_files: int
    envoy_files: int
    agent_bytes: int
    envoy_bytes: int
    agent_threads: int
    home_bytes: int
    image_bytes: int


def size_of(running: House, socket: str, agent: int) -> Size:
    """How much there is now."""
    label = {"label": [f"compartment.home={home_id(running.home)}"]}
    envoy = psutil.Process(running.gateway_pid())
    process = psutil.Process(agent)
    with connected(socket) as engine:
        images = engine.images(filters=only(home_id(running.home), Role.IMAGE))
        return Size(
            containers=len(engine.containers(all=True, filters=label)),
            images=len(images),
            networks=len(engine.networks(filters=label)),
            volumes=len(engine.volumes(label)["Volumes"] or ()),
            layers=len(engine.images(all=True, filters=label)),
            agent_files=process.num_fds(),
            envoy_files=envoy.num_fds(),
            agent_bytes=process.memory_info().rss,
            envoy_bytes=envoy.memory_info().rss,
            agent_threads=process.num_threads(),
            home_bytes=sum(
                each.stat().st_blocks * 512
                for each in running.home.root.rglob("*")
                if each.is_file()
            ),
            image_bytes=sum(each["Size"] for each in images),
        )


async def settled(running: House, socket: str, agent: int) -> Size:
    """How much there is once what the last run has replaced is removed, which it does not await."""
    async with asyncio.timeout(SETTLED_WITHIN_S):
        while (found := size_of(running, socket, agent)).images > KEPT:
            await asyncio.sleep(0.2)
    return found


@pytest.mark.whole
@pytest.mark.docker
@pytest.mark.timeout(400)
async def test_fifty_deploys_leave_no_more_than_the_retention(
    home: Path,
    tmp_path: Path,
    docker_socket: str,
    monkeypatch: pytest.MonkeyPatch,
    counts: FiguresRecorder,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{docker_socket}")
    monkeypatch.setenv("COMPARTMENT_KEEP_RELEASES", str(KEPT))
    small = SmallProject.made(tmp_path)
    small.write(web={}, api={"kind": "api"})
    async with house(home, docker_socket) as running:
        agent = await running.agent_pid()
        sizes: list[Size] = []
        for number in range(DEPLOYS):
            small.bump()
            await running.deployed(small)
            if number + 1 in (WARM, DEPLOYS):
                sizes.append(await settled(running, docker_socket, agent))
        assert await running.agent_pid() == agent
        reply = await get(await running.target("small.localhost"), "/")
        assert reply.json["version"] == f"v{small.version}"
    before, after = sizes
    for field in fields(Size):
        name = field.name.replace("_", " ")
        counts(f"{name} after {WARM} deploys", getattr(before, field.name), "")
        counts(f"{name} after {DEPLOYS} deploys", getattr(after, field.name), "")
    # An instance and a holder for each service.
    assert after.containers == before.containers == 2 * SERVICES
    # The services have the same content, and so the same image.
    assert after.images == before.images == KEPT
    assert (after.networks, after.volumes) == (1, 0)
    assert after.layers <= before.layers + KEPT
    assert after.agent_files <= before.agent_files + MORE_FILES
    assert after.envoy_files <= before.envoy_files + MORE_FILES
    assert after.agent_threads <= before.agent_threads + MORE_FILES
    assert after.agent_bytes <= before.agent_bytes + MORE_MEMORY
    assert after.envoy_bytes <= before.envoy_bytes + MORE_MEMORY
    assert after.home_bytes <= before.home_bytes + MORE_DISK
    assert after.image_bytes <= before.image_bytes * 1.01
