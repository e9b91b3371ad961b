"""Health checks that an image brings along, and release commands, on a real Docker Engine."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from core.engines.docker.labels import home_id
from tests.e2e.clients import get
from tests.e2e.small_project import SmallProject
from tests.engine.client import connected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.house import House, Json
    from tests.figures import FiguresRecorder

pytestmark = [pytest.mark.engines("docker"), pytest.mark.timeout(120)]

HOST = "small.localhost"
CHECK = "HEALTHCHECK --interval=300ms --timeout=5s --retries=2 CMD"
SICK = f"{CHECK} test ! -e /tmp/sick && echo well || (echo it is sick; exit 1)"


@pytest.fixture
def small(running: House, tmp_path: Path) -> SmallProject:
    """A project of the small application with a Dockerfile, and without a readiness block."""
    small = SmallProject.made(tmp_path)
    small.write(web={"readiness": None})
    return small


async def lines(running: House, deployment: Json) -> list[str]:
    """All that a deployment has logged."""
    query = {"project": "small", "deployment": deployment["id"], "tail": 1000}
    return [line["message"] async for line in running.client.logs(query)]


async def test_its_own_check_makes_it_ready(running: House, small: SmallProject) -> None:
    listens = "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['PORT'])"
    small.dockerfile("ENV BOOT_S=0.4", f'{CHECK} python3 -c "{listens}"')
    (deployment,) = (await running.deployed(small))["deployments"]
    assert deployment["health"] == "healthy"
    assert (await get(await running.target(HOST), "/")).status == 200
    said = await lines(running, deployment)
    assert said.index("listens on 8000") < said.index("its own health check passed")


async def test_its_own_check_fails_it(running: House, small: SmallProject) -> None:
    small.dockerfile(SICK)
    await running.deployed(small)
    small.bump()
    small.dockerfile(f"{CHECK} echo the cellar is full of water; exit 1")
    (failed,) = (await running.run(small))["deployments"]
    assert failed["promotionStage"] == "checking_readiness"
    assert "the cellar is full of water" in failed["failureMessage"]
    reply = await get(await running.target(HOST), "/")
    assert (reply.status, reply.json["version"]) == (200, "v1")


@contextmanager
def said_by_docker(running: House, socket: str) -> Iterator[list[tuple[str, float]]]:
    """What the engine tells of the health of our containers, and when, up to the end."""
    said: list[tuple[str, float]] = []
    filters = {"label": f"compartment.home={home_id(running.home)}", "event": "health_status"}
    with connected(socket) as engine:
        began = engine.info()["SystemTime"]
        yield said
        until = engine.info()["SystemTime"]
        for line in engine.events(since=_seconds(began), until=_seconds(until), filters=filters):
            event = json.loads(line)
            said.append((event["Action"].partition(": ")[2], event["timeNano"] / 1e9))


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at[:26].rstrip("Z") + "+00:00").timestamp()


@pytest.mark.parametrize("has_readiness", [True, False])
async def test_health_follows_its_own_check_while_it_is_live(
    running: House,
    small: SmallProject,
    docker_socket: str,
    figures: FiguresRecorder,
    has_readiness: bool,
) -> None:
    small.dockerfile(SICK)
    if has_readiness:
        small.write(web={})
    (deployment,) = (await running.deployed(small))["deployments"]
    target = await running.target(HOST)
    told: list[tuple[str, float]] = []
    with said_by_docker(running, docker_socket) as said:
        async with asyncio.timeout(30), aclosing(running.client.events()) as events:  # type: ignore[type-var]
            await get(target, "/sick")
            async for event in events:
                if event["type"] != "HealthChanged" or event["deploymentId"] != deployment["id"]:
                    continue
                told.append(
                    (event["health"], datetime.fromisoformat(event["timestamp"]).timestamp())
                )
                shown = (await running.active(small))["web"][0]["health"]
                assert shown == event["health"]
                if event["health"] == "unhealthy":
                    assert "it is sick" in event["message"]
                    assert (await get(target, "/well")).status == 200
                else:
                    break
    # Docker tells of more than what is different: of the first of a kind, we do.
    assert [health for health, _ in told] == ["unhealthy", "healthy"]
    delays = [at - next(t for h, t in said if h == health) for health, at in told]
    figures("health shown after docker says it", max(delays) * 1000, "ms", 2000)
    assert max(delays) < 2


RELEASED = "echo released $COMPARTMENT_DEPLOYMENT with $(cat VERSION); echo to stderr >&2"


async def test_a_release_command_runs_once_for_each_deploy(
    running: House, small: SmallProject
) -> None:
    small.write(web={"replicas": 2, "release": {"command": RELEASED}})
    (first,) = (await running.deployed(small))["deployments"]
    small.bump()
    (second,) = (await running.deployed(small))["deployments"]
    for number, each in enumerate((first, second), 1):
        said = await lines(running, each)
        assert said.count(f"released {each['id']} with v{number}") == 1
        assert said.count("to stderr") == 1
        assert said.index("release complete") < said.index("listens on 3000")
    # Not for what is done already.
    await running.deployed(small, "rollback")
    said = await lines(running, first)
    assert said.count(f"released {first['id']} with v1") == 1
    assert said.count("listens on 3000") == 4


async def test_a_release_command_that_fails_stops_the_deploy(
    running: House, small: SmallProject, docker_socket: str
) -> None:
    (first,) = (await running.deployed(small))["deployments"]
    small.bump()
    small.write(web={"release": {"command": "echo no such table; exit 4"}})
    (failed,) = (await running.run(small))["deployments"]
    assert failed["status"] == "failed"
    for text in ("release failed", "exited with code 4", "no such table"):
        assert text in failed["failureMessage"]
    assert "no such table" in await lines(running, failed)
    assert (await running.active(small))["web"][0]["id"] == first["id"]
    assert (await get(await running.target(HOST), "/")).json["version"] == "v1"
    with connected(docker_socket) as engine:
        label = {"label": [f"compartment.home={home_id(running.home)}"]}
        roles = [
            each["Labels"]["compartment.role"]
            for each in engine.containers(all=True, filters=label)
        ]
    assert sorted(roles) == ["holder", "instance"]
    # Mended, it deploys.
    small.write(web={"release": {"command": "true"}})
    await running.deployed(small)


async def test_a_release_command_that_is_cancelled(
    running: House, small: SmallProject, docker_socket: str
) -> None:
    await running.deployed(small)
    small.write(web={"release": {"command": "echo begun; sleep 600"}})
    run_id = await running.submit(small)
    async with asyncio.timeout(60), aclosing(running.client.watch({"project": "small"})) as updates:
        async for update in updates:
            waiting = (update.get("services", {}).get("web") or {}).get("waiting") or {}
            if waiting.get("kind") == "release":
                break
    await running.client.cancel(run_id)
    async with asyncio.timeout(60):
        result = await running.end(run_id)
    assert result["run"]["failureCode"] == "cancelled"
    with connected(docker_socket) as engine:
        label = {"label": ["compartment.role=release", f"compartment.home={home_id(running.home)}"]}
        assert engine.containers(all=True, filters=label) == []
    assert (await get(await running.target(HOST), "/")).status == 200
