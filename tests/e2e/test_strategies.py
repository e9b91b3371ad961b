"""How new deployments take the place of old ones where the two must not run side by side."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from core.ports import free_port
from tests.e2e.clients import get
from tests.e2e.small_project import SmallProject
from tests.e2e.workers import Life, lives
from tests.load.plan import Target

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.house import House, Json

STRATEGIES = ("overlap", "stop-first", "singleton")
JOB_S = 5


def worker(strategy: str, job_s: float = 0.2, **more: Any) -> Json:
    return {
        "kind": "worker",
        "strategy": strategy,
        "readiness": None,
        "run": {"command": f"JOB_S={job_s} exec python3 worker.py"},
        **more,
    }


async def until_begun(running: House, project: SmallProject, service: str) -> None:
    """Waits until a worker has something in hand."""
    query = {"project": project.name, "service": service, "following": True, "stream": "stdout"}
    async for line in running.client.logs(query):
        if " begin " in line["message"]:
            return


def together(found: list[Life]) -> bool:
    """Whether two of them were up at any moment."""
    pairs = [(a, b) for i, a in enumerate(found) for b in found[i + 1 :]]
    return any(a.overlaps(b) for a, b in pairs)


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(180)
async def test_no_job_is_lost_under_any_strategy(running: House, tmp_path: Path) -> None:
    """Each worker has a job of 5 s in hand when its successor comes."""
    project = SmallProject.made(tmp_path)
    project.write(**{name: worker(name, JOB_S) for name in STRATEGIES})
    await running.deployed(project)
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        for name in STRATEGIES:
            group.create_task(until_begun(running, project, name))
    project.bump()
    await running.deployed(project)
    for name in STRATEGIES:
        old, new = await lives(running, project, name)
        assert (old.version, new.version) == ("v1", "v2")
        assert old.down is not None
        assert old.begun == old.ended != []
        assert together([old, new]) == (name == "overlap")


@pytest.mark.timeout(120)
async def test_a_singleton_comes_back_when_its_successor_fails(
    running: House, tmp_path: Path
) -> None:
    project = SmallProject.made(tmp_path)
    project.write(worker=worker("singleton"))
    await running.deployed(project)
    before = (await running.status(project))["worker"]
    project.bump()
    (project.root / "app" / "BROKEN").touch()
    failed = await running.run(project)
    assert failed["run"]["status"] == "failed"
    assert failed["run"]["notServing"] == []
    assert "exited with code 7" in failed["failureMessage"]
    (active,) = (await running.active(project))["worker"]
    assert (active["id"], active["health"]) == (before["id"], "healthy")
    found = await lives(running, project, "worker")
    assert [life.version for life in found] == ["v1", "v2", "v1"]
    assert not together([life for life in found if life.version == "v1"])
    assert found[0].begun == found[0].ended
    (project.root / "app" / "BROKEN").unlink()
    await running.deployed(project)
    assert [life.version for life in await lives(running, project, "worker")][-1] == "v2"


async def test_a_fixed_port_is_handed_on(running: House, tmp_path: Path) -> None:
    port = free_port(set())
    project = SmallProject.made(tmp_path)
    project.write(web={"port": port, "run": {"command": "exec python3 server.py"}})
    await running.deployed(project)
    here = Target("127.0.0.1", port, "small.localhost")
    assert (await get(here, "/")).status == 200
    project.bump()
    plan = await running.client.plan(
        {"project": "small", "trigger": "deploy", "root": str(project.root), "engine": "process"}
    )
    (planned,) = plan["services"]
    assert planned["zeroDowntime"] is False
    assert str(port) in planned["zeroDowntimeReason"]
    first = await running.status(project)
    await running.deployed(project)
    assert (await get(await running.target("small.localhost"), "/")).status == 200
    assert (await get(here, "/")).status == 200
    await running.deployed(project, "rollback")
    assert (await running.active(project))["web"][0]["id"] == first["web"]["id"]
    assert (await get(here, "/")).status == 200


async def test_what_cannot_come_back_is_told(running: House, tmp_path: Path) -> None:
    """The old one needs a file that is gone, so that its way back fails as well."""
    needed = tmp_path / "needed"
    needed.touch()
    project = SmallProject.made(tmp_path)
    command = f"test -e {needed} || exit 9; exec python3 server.py"
    project.write(web={"strategy": "stop-first", "run": {"command": command}})
    await running.deployed(project)
    project.bump()
    needed.unlink()
    failed = await running.run(project)
    assert failed["run"]["status"] == "failed"
    assert failed["run"]["notServing"] == ["web"]
    assert "web is not serving" in failed["failureMessage"]
    (active,) = (await running.active(project))["web"]
    assert active["health"] == "unhealthy"
    assert "exited with code 9" in active["healthReason"]
    assert (await get(await running.target("small.localhost"), "/")).status == 503
    needed.touch()
    await running.deployed(project)
    assert (await get(await running.target("small.localhost"), "/")).status == 200


async def test_nothing_is_interrupted_while_another_service_fails(
    running: House, tmp_path: Path
) -> None:
    """What stops first does so last, so that it does not for a run that fails anyway."""
    project = SmallProject.made(tmp_path)
    other = project.root / "other"
    other.mkdir()
    (other / "worker.py").write_text("import sys; sys.exit(3)\n")
    project.write(worker=worker("singleton"))
    await running.deployed(project)
    project.bump()
    project.write(other=worker("overlap", path="other"))
    failed = await running.run(project)
    assert failed["run"]["status"] == "failed"
    (life,) = await lives(running, project, "worker")
    assert life.down is None
