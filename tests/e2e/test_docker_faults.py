"""What befalls the containers of live services and of candidates, under load, on a real engine."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from core.engines.docker.labels import Role
from tests.e2e import faults
from tests.e2e.faults import GLUTTON, Containers
from tests.load.load import Load
from tests.load.plan import NO_LOAD

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import docker

    from tests.e2e.house import House, LabProject
    from tests.figures import FiguresRecorder

    Fault = Callable[[Containers, str], Awaitable[None]]

pytestmark = [pytest.mark.engines("docker"), pytest.mark.timeout(120)]

SERVICES = ("backoffice", "web")
LIGHT = replace(NO_LOAD, fresh_per_s=40, keep_alive_per_s=20, keep_alive_clients=2, timeout_s=3)

FAULTS: dict[str, Fault] = {
    "killed": Containers.kill,
    "out of memory": Containers.overeat,
    "removed": Containers.remove,
    "disconnected": Containers.disconnect,
}


@pytest.fixture
def containers(running: House, docker_socket: str) -> Containers:
    return Containers(docker_socket, running)


def write(lab: LabProject, **web: object) -> None:
    """Two services, so that the address of one could become that of the other."""
    first = "LAB_BIND=0.0.0.0 LAB_ACCESS_LOG='' "
    lab.write(
        web={
            "run": {"command": first + GLUTTON},
            "build": {"command": "sleep 0.5"},
            "limits": {"memory": "128M"},
            **web,
        },
        backoffice={"kind": "api", "lab": {"version": "backoffice"}},
    )


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_is_live_comes_back(
    running: House, lab: LabProject, containers: Containers, figures: FiguresRecorder, fault: str
) -> None:
    write(lab)
    await running.deployed(lab)
    target, victim = await running.target(), await containers.of(Role.INSTANCE, "web")
    async with Load(target, LIGHT) as load:
        await load.has_sent(20)
        began = time.monotonic()
        await FAULTS[fault](containers, victim)
        if fault == "out of memory":
            await faults.until_seen(running, lab, lambda seen: seen["web"]["live"]["restarts"] > 0)
        away_s = await back(running, lab, load)
        healed = time.monotonic()
        await load.has_sent(load.report().sent + 60)
    figures(f"live instance {fault}: answers again after", away_s, "s")
    report = load.report()
    faults.no_strangers(report, "v1")
    assert faults.lost_after(report, healed) == []
    assert healed - began < faults.HEALED_WITHIN_S
    await faults.as_it_should_be(running, containers, lab, SERVICES)
    await next_deploy(running, lab, containers)


async def back(running: House, lab: LabProject, load: Load) -> float:
    """How long nothing was answered, until all is shown to be well."""
    began = time.monotonic()
    await faults.until_answered(await running.target(), "v1")
    away_s = time.monotonic() - began
    async with asyncio.timeout(faults.SEEN_WITHIN_S):
        await faults.until_seen(running, lab, faults.all_healthy)
    return away_s


async def next_deploy(running: House, lab: LabProject, containers: Containers) -> None:
    version = lab.bump()
    await running.deployed(lab)
    await faults.until_answered(await running.target(), version)
    await faults.as_it_should_be(running, containers, lab, SERVICES)


async def test_a_holder_comes_back(running: House, lab: LabProject, containers: Containers) -> None:
    write(lab)
    await running.deployed(lab)
    web = await containers.of(Role.INSTANCE, "web")
    for fault in (Containers.kill, Containers.remove, Containers.disconnect):
        await fault(containers, await containers.of(Role.HOLDER, "backoffice"))
        async with asyncio.timeout(faults.HEALED_WITHIN_S):
            while await called(containers, web) != "backoffice":
                pass
    await faults.as_it_should_be(running, containers, lab, SERVICES)
    await next_deploy(running, lab, containers)


async def called(containers: Containers, caller: str) -> str:
    """Which version the service `backoffice` has, as another service sees it."""
    program = (
        "import urllib.request as u;"
        "print(u.urlopen('http://backoffice/', timeout=1).headers['x-lab-version'], end='')"
    )

    def work(client: docker.APIClient) -> str:
        command = client.exec_create(caller, ["python3", "-c", program], stderr=False)
        printed: bytes = client.exec_start(command["Id"])
        return printed.decode()

    return str(await containers.call(work))


BEFORE_SWITCH = ("building", "starting_candidate", "checking_readiness")


@pytest.mark.parametrize("fault", ["killed", "removed", "disconnected"])
@pytest.mark.parametrize("stage", [*BEFORE_SWITCH, "draining_previous"])
async def test_the_live_one_in_a_run(
    running: House, lab: LabProject, containers: Containers, stage: str, fault: str
) -> None:
    write(lab)
    await running.deployed(lab)
    victim = await containers.of(Role.INSTANCE, "web")
    lab.bump()
    async with Load(await running.target(), LIGHT) as load:
        run_id = await running.submit(lab, services=["web"])
        await running.until(run_id, "StageChanged", promotionStage=stage)
        await FAULTS[fault](containers, victim)
        async with asyncio.timeout(faults.LIMIT_S):
            result = await running.end(run_id)
        assert result["run"]["status"] == "succeeded", result["failureMessage"]
        await faults.until_answered(await running.target(), "v2")
        ended = time.monotonic()
        await load.has_sent(load.report().sent + 40)
    faults.no_strangers(load.report(), "v1", "v2")
    assert faults.lost_after(load.report(), ended) == []
    await faults.until_seen(running, lab, faults.all_healthy)
    await faults.as_it_should_be(running, containers, lab, SERVICES)
    await next_deploy(running, lab, containers)


WORDS = {
    "killed": "SIGKILL",
    "out of memory": "its limit of 128M",
    "removed": "was removed by somebody else",
}


@pytest.mark.parametrize("fault", WORDS)
async def test_a_candidate_in_a_run(
    running: House,
    lab: LabProject,
    containers: Containers,
    figures: FiguresRecorder,
    fault: str,
) -> None:
    write(lab)
    await running.deployed(lab)
    lab.bump()
    write(lab, readiness={"type": "http", "path": "/absent/up"})
    async with Load(await running.target(), LIGHT) as load:
        run_id = await running.submit(lab, services=["web"])
        found = await running.until(run_id, "StageChanged", promotionStage="checking_readiness")
        candidate = await containers.of(Role.INSTANCE, "web", f"{found['deploymentId']}.1")
        began = datetime.now().astimezone()
        await FAULTS[fault](containers, candidate)
        async with asyncio.timeout(faults.LIMIT_S):
            result = await running.end(run_id)
    assert result["run"]["status"] == "failed"
    assert WORDS[fault] in result["failureMessage"]
    events = await running.events(run_id)
    noticed = next(event for event in events if event["type"] == "DeploymentFailed")
    seconds = (datetime.fromisoformat(noticed["timestamp"]) - began).total_seconds()
    figures(f"candidate {fault}: noticed after", seconds * 1000, "ms", 500)
    assert [str(loss) for loss in load.report().lost] == []
    assert set(load.report().versions) == {"v1"}
    await faults.as_it_should_be(running, containers, lab, SERVICES)
    write(lab, readiness={"type": "http", "path": "/up"})
    await next_deploy(running, lab, containers)


async def test_a_candidate_that_is_disconnected_goes_on(
    running: House, lab: LabProject, containers: Containers
) -> None:
    write(lab)
    await running.deployed(lab)
    lab.bump()
    lab.write(web={"lab": {"boot_delay_ms": 1500}})
    run_id = await running.submit(lab, services=["web"])
    found = await running.until(run_id, "StageChanged", promotionStage="checking_readiness")
    candidate = await containers.of(Role.INSTANCE, "web", f"{found['deploymentId']}.1")
    await containers.disconnect(candidate)
    async with asyncio.timeout(faults.LIMIT_S):
        result = await running.end(run_id)
    assert result["run"]["status"] == "succeeded", result["failureMessage"]
    await faults.as_it_should_be(running, containers, lab, SERVICES)
