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

pytestmark = [pytest.mark.engines("docker"), pytest.mark.timeout(240)]

SERVICES = ("backoffice", "web")
LIGHT = replace(NO_LOAD, fresh_per_s=40, keep_alive_per_s=20, keep_alive_clients=2, timeout_s=3)


LONGER = ("removed", "disconnected")
FAULTS: dict[str, Fault] = {
    "killed": Containers.kill,
    "out of memory": Containers.overeat,
    "removed": Containers.remove,
    "disconnected": Containers.disconnect,
}


@pytest.fixture
def containers(running: House, docker_socket: str) -> Containers:
    return Containers(docker_socket, running)


def write(lab: LabProject, /, **web: object) -> None:
    """Two services, so that the address of one could become that of the other."""
    lab.services.pop("web", None)
    lab.write(
        web={"build": {"command": "sleep 0.5"}, **web},
        backoffice={"kind": "api", "lab": {"version": "backoffice"}},
    )


def write_hungry(lab: LabProject, variables: str = "") -> None:
    """The same, where `web` may have little memory and takes much when it is told to."""
    command = f"LAB_BIND=0.0.0.0 {variables} {GLUTTON}"
    write(lab, run={"command": command}, limits={"memory": "128M"})


async def test_what_is_live_comes_back(
    running: House, lab: LabProject, containers: Containers, figures: FiguresRecorder
) -> None:
    write_hungry(lab)
    await running.deployed(lab)
    for name, befall in FAULTS.items():
        victim = await containers.of(Role.INSTANCE, "web")
        restarts = await restarts_of(containers, victim)
        async with Load(await running.target(), LIGHT) as load:
            await load.has_sent(20)
            began = time.monotonic()
            await befall(containers, victim)
            if name == "out of memory":
                async with asyncio.timeout(faults.HEALED_WITHIN_S):
                    while await restarts_of(containers, victim) == restarts:
                        pass
            await faults.until_answered(await running.target(), "v1")
            # One that ends again within 5 s is in a restart loop, and has to stay up as long first.
            async with asyncio.timeout(faults.HEALED_WITHIN_S):
                await faults.until_seen(running, lab, faults.all_healthy)
            healed = time.monotonic()
            await load.has_sent(load.report().sent + 60)
        report = load.report()
        away_s = max((loss.end.monotonic - began for loss in report.lost), default=0.0)
        figures(f"live instance {name}: serves again after", away_s, "s")
        faults.no_strangers(report, "v1")
        assert faults.lost_after(report, healed) == []
        await faults.as_it_should_be(running, containers, lab, SERVICES)
    await next_deploy(running, lab, containers)


async def restarts_of(containers: Containers, id_: str) -> int:
    described = await containers.call(lambda client: client.inspect_container(id_))
    return int(described["RestartCount"])


async def next_deploy(running: House, lab: LabProject, containers: Containers) -> None:
    version = lab.bump()
    await running.deployed(lab)
    await faults.until_answered(await running.target(), version)
    await faults.as_it_should_be(running, containers, lab, SERVICES)


async def test_a_holder_comes_back(running: House, lab: LabProject, containers: Containers) -> None:
    write(lab)
    await running.deployed(lab)
    web = await containers.of(Role.INSTANCE, "web")
    for befall in (Containers.kill, Containers.remove, Containers.disconnect):
        await befall(containers, await containers.of(Role.HOLDER, "backoffice"))
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


@pytest.mark.parametrize(
    "fault", ["killed", *(pytest.param(each, marks=pytest.mark.whole) for each in LONGER)]
)
async def test_the_live_one_in_a_run(
    running: House, lab: LabProject, containers: Containers, fault: str
) -> None:
    write(lab, lab={"boot_delay_ms": 300})
    await running.deployed(lab)
    stages = ("building", "starting_candidate", "checking_readiness", "draining_previous")
    for stage in stages:
        victim = await containers.of(Role.INSTANCE, "web")
        before, now = f"v{lab.version}", lab.bump()
        async with Load(await running.target(), LIGHT) as load:
            run_id = await running.submit(lab, services=["web"])
            await running.until(run_id, "StageChanged", promotionStage=stage)
            await FAULTS[fault](containers, victim)
            async with asyncio.timeout(faults.LIMIT_S):
                result = await running.end(run_id)
            assert result["run"]["status"] == "succeeded", result["failureMessage"]
            await faults.until_answered(await running.target(), now)
            ended = time.monotonic()
            await load.has_sent(load.report().sent + 40)
        faults.no_strangers(load.report(), before, now)
        assert faults.lost_after(load.report(), ended) == []
        await faults.until_seen(running, lab, faults.all_healthy)
        await faults.as_it_should_be(running, containers, lab, SERVICES)


WORDS = {
    "killed": "SIGKILL",
    "out of memory": "its limit of 128M",
    "removed": "while it was being checked",
}


async def test_a_candidate_in_a_run(
    running: House, lab: LabProject, containers: Containers, figures: FiguresRecorder
) -> None:
    write_hungry(lab)
    await running.deployed(lab)
    write_hungry(lab, "LAB_NEVER_READY=1")
    for name, words in WORDS.items():
        lab.bump()
        async with Load(await running.target(), LIGHT) as load:
            run_id = await running.submit(lab, services=["web"])
            found = await running.until(run_id, "StageChanged", promotionStage="checking_readiness")
            candidate = await containers.of(Role.INSTANCE, "web", f"{found['deploymentId']}.1")
            await FAULTS[name](containers, candidate)
            # From when it is done: the engine itself takes half a second to remove a container.
            done = datetime.now().astimezone()
            async with asyncio.timeout(faults.LIMIT_S):
                result = await running.end(run_id)
        assert result["run"]["status"] == "failed"
        assert words in result["failureMessage"]
        events = await running.events(run_id)
        noticed = next(event for event in events if event["type"] == "DeploymentFailed")
        seconds = (datetime.fromisoformat(noticed["timestamp"]) - done).total_seconds()
        figures(f"candidate {name}: failed after", seconds * 1000, "ms", 500)
        assert [str(loss) for loss in load.report().lost] == []
        assert set(load.report().versions) == {"v1"}
        await faults.as_it_should_be(running, containers, lab, SERVICES)
    write_hungry(lab)
    await next_deploy(running, lab, containers)


async def test_a_candidate_that_is_disconnected_goes_on(
    running: House, lab: LabProject, containers: Containers
) -> None:
    write(lab)
    await running.deployed(lab)
    lab.bump()
    write(lab, lab={"boot_delay_ms": 1500})
    run_id = await running.submit(lab, services=["web"])
    found = await running.until(run_id, "StageChanged", promotionStage="checking_readiness")
    candidate = await containers.of(Role.INSTANCE, "web", f"{found['deploymentId']}.1")
    await containers.disconnect(candidate)
    async with asyncio.timeout(faults.LIMIT_S):
        result = await running.end(run_id)
    assert result["run"]["status"] == "succeeded", result["failureMessage"]
    await faults.as_it_should_be(running, containers, lab, SERVICES)
