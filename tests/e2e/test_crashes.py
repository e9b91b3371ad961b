"""Proof 5: the agent or the gateway is killed, under load; nothing is lost that need not be."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.errors import AgentUnavailable
from tests.e2e.clients import get, held
from tests.e2e.house import kill
from tests.load.load import Load
from tests.load.outcome import RequestLost
from tests.load.plan import NO_LOAD

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject
    from tests.figures import FiguresRecorder
    from tests.load.plan import Target

pytestmark = pytest.mark.engines("process", "docker")

BEFORE_SWITCH = ("building", "starting_candidate", "checking_readiness")
AT_SWITCH = ("switching_route",)
"""Seen too late to say on which side of the switch the kill falls."""
AFTER_SWITCH = ("draining_previous",)
PAUSES_S = {
    "process": (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4),
    "docker": (0.0, 0.1, 0.3, 0.6, 0.9, 1.2, 1.6, 2.0),
}
"""After these a run of each engine is at one point or another."""


def two_services(lab: LabProject) -> None:
    lab.write(
        web={"build": {"command": "sleep 0.3"}, "lab": {"boot_delay_ms": 400}},
        backoffice={"kind": "api", "lab": {"boot_delay_ms": 600}},
    )


@pytest.mark.timeout(180)
@pytest.mark.parametrize("stage", [*BEFORE_SWITCH, *AT_SWITCH, *AFTER_SWITCH])
async def test_agent_killed_in_a_run(
    running: House, lab: LabProject, counts: FiguresRecorder, stage: str
) -> None:
    two_services(lab)
    await running.deployed(lab)
    lab.bump()
    async with Load(await running.target()) as load:
        run_id = await running.submit(lab)
        await running.until(run_id, "StageChanged", promotionStage=stage)
        kill(await running.agent_pid())
        # The next command starts an agent, which takes everything over.
        await running.client.attach()
        result = await running.end(run_id)
        await exactly_one_active(running, lab)
        # The next deploy works.
        lab.bump()
        await running.deployed(lab)
        await exactly_one_active(running, lab)
    report = load.report()
    counts(f"agent killed at {stage}: requests lost", len(report.lost), "requests", 0)
    assert [str(loss) for loss in report.lost] == []
    assert report.cut_off == ()
    assert lab.access_log.not_exactly_once(report.ids) == {}
    went_forward = result["run"]["status"] == "succeeded"
    if stage not in AT_SWITCH:
        assert went_forward == (stage in AFTER_SWITCH)
    assert ("v2" in report.versions) == went_forward
    assert (await get(await running.target(), "/version")).version == "v3"


async def exactly_one_active(running: House, lab: LabProject) -> None:
    active = await running.active(lab)
    assert {name: len(found) for name, found in active.items()} == {"web": 1, "backoffice": 1}
    inspected = await running.client.inspect({"project": lab.name})
    instances = {
        activation["name"]
        for deployment in inspected["deployments"]
        for activation in deployment["activations"]
    }
    live = {found[0]["id"] for found in active.values()}
    assert {name.partition(".")[0] for name in running.instance_names()} == live
    assert instances <= running.instance_names()


@pytest.mark.engines("process", "docker", whole=("docker",))
@pytest.mark.timeout(120)
async def test_agent_killed_again_and_again(running: House, lab: LabProject) -> None:
    await running.deployed(lab)
    async with Load(await running.target()) as load:
        for pause_s in PAUSES_S[running.engine]:
            lab.bump()
            run_id = await running.submit(lab)
            await asyncio.sleep(pause_s)  # not a wait: any moment of the run is as good
            kill(await running.agent_pid())
            await running.client.attach()
            await running.end(run_id)
            (active,) = (await running.active(lab))["web"]
            assert {name.partition(".")[0] for name in running.instance_names()} == {active["id"]}
    assert [str(loss) for loss in load.report().lost] == []


@pytest.mark.timeout(120)
async def test_a_queued_run_ends_with_its_agent(running: House, lab: LabProject) -> None:
    lab.write(web={"lab": {"boot_delay_ms": 2000}})
    first = await running.submit(lab)
    second = await running.submit(lab)
    kill(await running.agent_pid())
    await running.client.attach()
    for run_id in (first, second):
        result = await running.end(run_id)
        assert result["run"]["status"] == "failed"
        assert "the agent ended before the switch" in result["failureMessage"]
    assert running.instance_names() == set()


@pytest.mark.timeout(120)
async def test_agent_killed_while_it_goes_back(running: House, lab: LabProject) -> None:
    """One candidate is gone already, the other one does not want to end."""
    lab.write(web={}, backoffice={"kind": "api"})
    await running.deployed(lab)
    before = {name: found[0]["id"] for name, found in (await running.active(lab)).items()}
    lab.bump()
    never = {"type": "http", "path": "/up", "timeoutMs": 1500}
    lab.write(
        web={"lab": {"term_mode": "ignore"}},
        backoffice={"kind": "api", "lab": {"never_ready": 1}, "readiness": never},
    )
    run_id = await running.submit(lab)
    await running.until(run_id, "DeploymentFailed", serviceName="web")
    kill(await running.agent_pid())
    await running.client.attach()
    assert (await running.end(run_id))["run"]["status"] == "failed"
    after = {name: found[0]["id"] for name, found in (await running.active(lab)).items()}
    assert after == before
    await exactly_one_active(running, lab)


@pytest.mark.timeout(120)
async def test_agent_killed_while_it_takes_down(running: House, lab: LabProject) -> None:
    lab.write(web={"drain": {"timeoutMs": 60_000}})
    await running.deployed(lab)
    target = await running.target()
    async with held(target) as slow, asyncio.TaskGroup() as group:
        down = group.create_task(taken_down(running, lab))
        async with asyncio.timeout(60):
            while (await get(target, "/version")).status == 200:
                await asyncio.sleep(0.01)
        kill(await running.agent_pid())
        await down
        assert (await slow.end()).status == 200
    await running.client.attach()
    assert running.instance_names() == set()
    assert await running.active(lab) == {}
    assert (await get(target, "/version")).status == 503


async def taken_down(running: House, lab: LabProject) -> None:
    with suppress(AgentUnavailable):
        await running.client.down({"project": lab.name})


@pytest.mark.timeout(120)
async def test_gateway_killed(running: House, lab: LabProject, figures: FiguresRecorder) -> None:
    await running.deployed(lab)
    target = await running.target()
    away: list[float] = []
    for _ in range(3):
        pid = running.gateway_pid()
        began = time.monotonic()
        kill(pid)
        await answers_again(target)
        away.append(time.monotonic() - began)
        assert running.gateway_pid() != pid
    figures("gateway back after kill -9, slowest of 3", max(away), "s", 1)
    assert max(away) < 3
    # It serves as before, and a deploy goes through it.
    lab.bump()
    await running.deployed(lab)
    assert (await get(target, "/version")).version == "v2"


@pytest.mark.engines("process", "docker", whole=("docker",))
@pytest.mark.timeout(120)
@pytest.mark.parametrize("stage", [*BEFORE_SWITCH, *AT_SWITCH, *AFTER_SWITCH])
async def test_gateway_killed_in_a_run(running: House, lab: LabProject, stage: str) -> None:
    two_services(lab)
    await running.deployed(lab)
    target = await running.target()
    lab.bump()
    run_id = await running.submit(lab)
    await running.until(run_id, "StageChanged", promotionStage=stage)
    kill(running.gateway_pid())
    result = await running.end(run_id)
    await answers_again(target)
    # Whatever became of the run, it is true: what it says is active is what answers.
    version = "v2" if result["run"]["status"] == "succeeded" else "v1"
    assert (await get(target, "/version")).version == version
    await exactly_one_active(running, lab)
    lab.bump()
    await running.deployed(lab)
    assert (await get(target, "/version")).version == "v3"


async def answers_again(target: Target) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                if (await get(target, "/version")).status == 200:
                    return
            except RequestLost:
                await asyncio.sleep(0.01)


@pytest.mark.timeout(120)
async def test_agent_and_gateway_killed(running: House, lab: LabProject) -> None:
    await running.deployed(lab)
    kill(await running.agent_pid())
    kill(running.gateway_pid())
    await running.client.attach()
    assert (await get(await running.target(), "/version")).version == "v1"


@pytest.mark.timeout(120)
async def test_instance_killed_is_restarted(running: House, lab: LabProject) -> None:
    await running.deployed(lab)
    target = await running.target()
    (listening,) = lab.access_log.named("listening")
    # In a container it counts its processes by itself.
    kill(listening.pid if running.engine == "process" else running.first_pids()[0])
    async with asyncio.timeout(60):
        while len(lab.access_log.named("listening")) < 2:
            await asyncio.sleep(0.02)
        while (await get(target, "/version")).status != 200:
            await asyncio.sleep(0.02)
    async with Load(target, replace(NO_LOAD, fresh_per_s=50)) as load:
        await load.has_sent(50)
    assert load.report().lost == ()


@pytest.mark.timeout(120)
async def test_everything_killed_comes_back(running: House, lab: LabProject) -> None:
    """As after a power cut: agent, gateway, services and what watches them, all at once."""
    await running.deployed(lab)
    doomed = [await running.agent_pid(), running.gateway_pid(), *running.first_pids()]
    assert len(doomed) == 3
    for pid in doomed:
        kill(pid)
    await running.client.attach()
    await answers_again(await running.target())
    async with asyncio.timeout(60):
        # Until the gateway has found out that it listens again.
        while (await running.active(lab))["web"][0]["health"] != "healthy":
            await asyncio.sleep(0.05)
    lab.bump()
    await running.deployed(lab)
