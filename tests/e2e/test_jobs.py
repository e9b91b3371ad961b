"""Jobs inside of a deploy: when they fail, hang, or are killed, what was live still serves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.e2e.house import kill
from tests.e2e.small_project import SmallProject

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.house import House, Json

SERVER = {"command": "exec python3 server.py"}
HANGS = "echo begun; exec sleep 4321"


def job(command: str, **more: Any) -> Json:
    return {"kind": "job", "readiness": None, "run": {"command": command}, **more}


async def live(running: House, folder: Path) -> tuple[SmallProject, str]:
    """A project whose web is live, and its deployment."""
    project = SmallProject.made(folder)
    project.write(web={"run": SERVER}, migrate=job("true"))
    await running.deployed(project)
    (web,) = (await running.active(project))["web"]
    project.bump()
    return project, str(web["id"])


async def still_serves(running: House, project: SmallProject, web: str) -> None:
    """The same web is active, and nothing is left of the run beside it."""
    (active,) = (await running.active(project))["web"]
    assert (active["id"], active["health"]) == (web, "healthy")
    await left(running, {f"{web}.1"})


async def left(running: House, names: set[str]) -> None:
    """Waits until these instances are left, and no other: one goes after its end was told."""
    async with asyncio.timeout(30):
        while running.instance_names() != names:
            await asyncio.sleep(0.02)


async def last_execution(running: House, project: SmallProject) -> Json:
    found = await running.client.executions({"project": project.name, "service": "migrate"})
    newest: Json = found["executions"][0]
    return newest


async def begun(running: House, project: SmallProject) -> str:
    """A deploy whose job hangs; returns the run."""
    project.write(migrate=job(HANGS))
    run_id = await running.submit(project)
    await running.until(run_id, "ExecutionStarted")
    await has_begun(running, project, (await last_execution(running, project))["id"])
    return run_id


async def has_begun(running: House, project: SmallProject, execution_id: str) -> None:
    """Waits for the first line of an execution."""
    wanted = {"project": project.name, "execution": execution_id, "following": "true"}
    async with asyncio.timeout(30):
        async for line in running.client.logs(wanted):
            if line["message"] == "begun":
                return
    raise AssertionError(f"{execution_id} has ended without a line")


async def test_one_that_hangs_is_ended_at_its_limit(running: House, tmp_path: Path) -> None:
    project, web = await live(running, tmp_path)
    project.write(migrate=job(HANGS, timeLimitMs=1000))
    result = await running.run(project)
    assert result["run"]["status"] == "failed"
    assert "migrate: the job failed: ended at its time limit of 1 s" in result["failureMessage"]
    assert "[stdout] begun" in result["failureMessage"]
    await still_serves(running, project, web)


async def test_one_that_is_killed(running: House, tmp_path: Path) -> None:
    project, web = await live(running, tmp_path)
    run_id = await begun(running, project)
    (sleeping,) = [
        each
        for each in psutil.process_iter(["cmdline", "environ"])
        if each.info["cmdline"] == ["sleep", "4321"]
        and (each.info["environ"] or {}).get("COMPARTMENT_EXECUTION")
        == (await last_execution(running, project))["id"]
    ]
    sleeping.kill()
    result = await running.end(run_id)
    told = "migrate: the job failed: ended by signal 9 (SIGKILL)"
    assert told in result["failureMessage"]
    await still_serves(running, project, web)


async def test_a_deploy_that_is_cancelled_ends_its_job(running: House, tmp_path: Path) -> None:
    project, web = await live(running, tmp_path)
    run_id = await begun(running, project)
    await running.client.cancel(run_id)
    execution = await last_execution(running, project)
    assert (execution["status"], execution["message"]) == (
        "cancelled",
        "its run went back",
    )
    await still_serves(running, project, web)


async def test_an_agent_that_dies_takes_the_job_of_its_deploy_along(
    running: House, tmp_path: Path
) -> None:
    project, web = await live(running, tmp_path)
    run_id = await begun(running, project)
    kill(await running.agent_pid())
    await running.client.attach()
    result = await running.end(run_id)
    assert (result["run"]["status"], result["run"]["failureCode"]) == ("failed", "agent_ended")
    async with asyncio.timeout(30):
        while (execution := await last_execution(running, project))["status"] == "running":
            await asyncio.sleep(0.02)
    assert execution["message"] == "its run went back"
    await still_serves(running, project, web)


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(180)
async def test_one_run_by_hand_outlives_its_agent(running: House, tmp_path: Path) -> None:
    project = SmallProject.made(tmp_path)
    go = "import os,time; print('begun', flush=True); time.sleep(2); print('done')"
    project.write(
        nightly={
            "kind": "cron",
            "readiness": None,
            "schedule": "0 0 29 2 *",
            "run": {"command": f'exec python3 -c "{go}"'},
        }
    )
    await running.deployed(project)
    begun = await running.client.execute({"project": project.name, "service": "nightly"})
    await has_begun(running, project, begun["id"])
    kill(await running.agent_pid())
    await running.client.attach()
    async with asyncio.timeout(30):
        while True:
            found = await running.client.execution(begun["id"])
            if found["status"] != "running":
                break
            await asyncio.sleep(0.02)
    assert (found["status"], found["exitCode"]) == ("succeeded", 0)
    wanted = {"project": project.name, "execution": begun["id"], "stream": "stdout"}
    assert [line["message"] async for line in running.client.logs(wanted)] == ["begun", "done"]
    await left(running, set())
