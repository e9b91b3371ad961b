"""Services that wait for others: in the order that their project file asks for, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Conflict
from tests.e2e.small_project import SmallProject

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.house import House, Json

SERVER = {"command": "exec python3 server.py"}


def job(command: str, **more: Any) -> Json:
    return {"kind": "job", "readiness": None, "run": {"command": command}, **more}


def reached(events: list[Json], type_: str, service: str, **fields: Any) -> int:
    """The place of an event of a service among all of a run."""
    for place, each in enumerate(events):
        wanted = {"type": type_, "serviceName": service, **fields}
        if all(each.get(name) == value for name, value in wanted.items()):
            return place
    raise AssertionError(f"no {type_} of {service}")


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(120)
async def test_each_waits_for_what_it_depends_on(running: House, tmp_path: Path) -> None:
    project = SmallProject.made(tmp_path)
    project.write(
        web={"run": SERVER, "dependsOn": {"migrate": "completed", "api": "healthy"}},
        api={"kind": "api", "run": SERVER, "dependsOn": ["migrate"]},
        migrate=job("echo migrated"),
    )
    run_id = await running.submit(project)
    events = await running.events(run_id)
    assert events[-1]["status"] == "succeeded", events[-1]["failureMessage"]
    starting = {"promotionStage": "starting_candidate"}
    ended = reached(events, "ExecutionEnded", "migrate")
    assert ended < reached(events, "StageChanged", "api", **starting)
    is_ready = reached(events, "ReadinessPassed", "api")
    assert is_ready < reached(events, "StageChanged", "web", **starting)
    # Built at the same time, all the same.
    building = [reached(events, "StageChanged", each, promotionStage="building", status="running")
                for each in ("web", "api", "migrate")]  # fmt: skip
    assert max(building) < ended
    assert (await running.client.executions({"project": "small"}))["executions"][0]["status"] == (
        "succeeded"
    )


async def test_a_wait_that_never_ends_is_refused(running: House, tmp_path: Path) -> None:
    project = SmallProject.made(tmp_path)
    project.write(
        web={"run": SERVER, "dependsOn": ["api"]}, api={"kind": "api", "run": SERVER},
    )  # fmt: skip
    with pytest.raises(Conflict) as refused:
        await running.submit(project, services=["web"])
    assert refused.value.message == "web waits for api, which is not deployed"
    assert refused.value.hint == "deploy them together: --service api --service web"
    await running.deployed(project, services=["api"])
    await running.deployed(project, services=["web"])


async def test_nothing_starts_after_a_job_that_failed(running: House, tmp_path: Path) -> None:
    project = SmallProject.made(tmp_path)
    project.write(
        web={"run": SERVER, "dependsOn": ["migrate"]}, migrate=job("echo no such table; exit 4"),
    )  # fmt: skip
    run_id = await running.submit(project)
    events = await running.events(run_id)
    assert events[-1]["status"] == "failed"
    assert "migrate: the job failed: exited with code 4" in events[-1]["failureMessage"]
    assert "no such table" in events[-1]["failureMessage"]
    with pytest.raises(AssertionError):
        reached(events, "StageChanged", "web", promotionStage="starting_candidate")
    project.write(migrate=job("true"))
    await running.deployed(project)
    project.bump()
    again = await running.deployed(project)
    assert len(again["deployments"]) == 2
    # A rollback takes back nothing that the job has done, and does not do it again.
    count = len((await running.client.executions({"project": "small"}))["executions"])
    await running.deployed(project, "rollback")
    found = (await running.client.executions({"project": "small"}))["executions"]
    assert len(found) == count == 3
