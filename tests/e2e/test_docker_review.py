"""What happens at the same time: runs, an environment taken down, an engine that comes back."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from core.agent.launcher import wait_ended
from core.engines.docker.labels import INSTANCE
from tests.e2e.clients import get, held
from tests.e2e.house import kill
from tests.e2e.test_internal_calls import Caller, caller_beside
from tests.engine.client import connected

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject

pytestmark = pytest.mark.timeout(180)


def target_of(lab: LabProject) -> dict[str, Any]:
    return {"project": lab.name, "environment": "production"}


@pytest.mark.engines("process", "docker")
async def test_a_deploy_that_waits_for_down_keeps_its_environment(
    running: House, lab: LabProject
) -> None:
    lab.write(web={"drain": {"timeoutMs": 60_000}})
    await running.deployed(lab)
    lab.bump()
    async with held(await running.target()) as request, asyncio.TaskGroup() as group:
        down = group.create_task(running.client.down(target_of(lab)))
        await _is_down(running, lab)
        run_id = await running.submit(lab)
        assert (await request.end()).status == 200
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


@pytest.mark.engines("process", "docker")
async def test_services_reach_each_other_again_after_the_gateway_was_killed(
    running: House, lab: LabProject
) -> None:
    caller_beside(lab)
    await running.deployed(lab)
    target = await running.target()
    async with httpx.AsyncClient(trust_env=False) as client:
        caller = Caller(client, f"http://{target.address}:{target.port}", target.host)
        await caller.has_called(20)
        # Its connections are closed by it, so that its ports have something to wait for.
        kill(running.gateway_pid())
        async with asyncio.timeout(60):
            while not await _is_answered(caller):
                await asyncio.sleep(0.05)
        await caller.ask("/forget")
        await caller.has_called(20)


async def _is_answered(caller: Caller) -> bool:
    try:
        return bool(await caller.ask())
    except (httpx.HTTPError, ValueError):
        return False


@pytest.mark.engines("docker")
async def test_a_port_that_changes_is_nothing_to_callers(running: House, lab: LabProject) -> None:
    caller_beside(lab)
    await running.deployed(lab)
    target = await running.target()
    async with httpx.AsyncClient(trust_env=False) as client:
        caller = Caller(client, f"http://{target.address}:{target.port}", target.host)
        await caller.has_called(20)
        await caller.ask("/forget")
        for port in (4000, 80, 3000):
            lab.write(backoffice={"kind": "api", "port": port})
            lab.bump()
            result = await running.deployed(lab, services=["backoffice"])
            assert result["run"]["cutRequests"] == 0
            await caller.has_called(20)
        assert (await caller.ask())["errors"] == []


@pytest.mark.engines("process", "docker")
async def test_services_reach_each_other_in_an_environment_that_was_taken_down(
    running: House, lab: LabProject
) -> None:
    caller_beside(lab)
    async with httpx.AsyncClient(trust_env=False) as client:
        for _ in range(2):
            await running.deployed(lab)
            target = await running.target()
            caller = Caller(client, f"http://{target.address}:{target.port}", target.host)
            await caller.ask("/forget")
            await caller.has_called(20)
            assert (await caller.ask())["errors"] == []
            assert set((await running.client.down(target_of(lab)))["stopped"]) == set(lab.services)
    assert running.instance_names() == set()


@pytest.mark.engines("docker")
async def test_replicas_are_where_they_were_after_the_agent_and_one_of_them_died(
    running: House, lab: LabProject, docker_socket: str
) -> None:
    lab.write(web={"replicas": 3})
    await running.deployed(lab)
    before = await addresses(running, lab)
    names = running.instance_names()
    assert len(set(before)) == len(names) == 3
    kill(await running.agent_pid())
    with connected(docker_socket) as engine:
        (found,) = engine.containers(filters={"label": f"{INSTANCE}={max(names)}"})
        engine.remove_container(found["Id"], force=True)
    await running.client.attach()
    assert await addresses(running, lab) == before
    assert running.instance_names() == names
    target = await running.target()
    assert {(await get(target, "/whoami")).status for _ in range(9)} == {200}
    async with asyncio.timeout(60):
        while len(lab.access_log.named("listening")) < 4:
            await asyncio.sleep(0.05)
    assert len(lab.access_log.named("listening")) == 4


async def addresses(running: House, lab: LabProject) -> list[str]:
    (deployment,) = (await running.client.inspect(target_of(lab)))["deployments"]
    (live,) = [each for each in deployment["activations"] if each["isLive"]]
    return list(live["addresses"])


@pytest.mark.engines("docker")
@pytest.mark.parametrize(
    ("stage", "is_asked"),
    [("building", True), ("starting_candidate", False), ("checking_readiness", True)],
)
async def test_an_agent_that_is_stopped_in_a_run_leaves_nothing_of_it(
    running: House, lab: LabProject, stage: str, is_asked: bool
) -> None:
    await running.deployed(lab)
    before = running.instance_names()
    lab.write(
        web={"build": {"command": "sleep 1"}, "lab": {"boot_delay_ms": 30_000}, "replicas": 2}
    )
    run_id = await running.submit(lab)
    await running.until(run_id, "StageChanged", promotionStage=stage)
    pid = await running.agent_pid()
    async with asyncio.timeout(30):
        if is_asked:
            await running.client.stop_agent()
        else:
            os.kill(pid, signal.SIGTERM)
        await wait_ended(pid)
    assert running.instance_names() == before
    await running.client.attach()
    assert (await running.client.run_result(run_id))["run"]["status"] == "failed"
    assert [each["isActive"] for each in (await running.active(lab))["web"]] == [True]
    assert (await get(await running.target(), "/")).version == "v1"
    assert running.instance_names() == before
