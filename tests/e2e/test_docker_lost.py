"""The engine restarts, is killed, hangs or cannot be reached, with a run going on and without."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.cli import exits
from core.errors import EngineUnavailable
from tests.e2e import faults
from tests.e2e.faults import Containers
from tests.e2e.house import house, kill
from tests.engine.cut import cut
from tests.load.load import Load
from tests.load.plan import NO_LOAD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from tests.e2e.house import House, Json, LabProject
    from tests.engine.cut import Cut
    from tests.engine.plugin import Faults
    from tests.figures import FiguresRecorder

    Ordeal = Callable[[Faults], Awaitable[None]]

pytestmark = [pytest.mark.engines("docker"), pytest.mark.timeout(180)]

SERVICES = ("backoffice", "web")
LIGHT = replace(NO_LOAD, fresh_per_s=40, keep_alive_per_s=20, keep_alive_clients=2, timeout_s=3)
STAGES = ("building", "starting_candidate", "checking_readiness", "draining_previous")
EACH_STAGE = [
    *(pytest.param(stage, marks=pytest.mark.whole) for stage in STAGES[:2]),
    *STAGES[2:],
]
AWAY_S = 3.0
"""Longer than anybody waits for an engine to list what it has."""


async def hang(engine: Faults) -> None:
    engine.pause()
    await asyncio.sleep(AWAY_S)  # not a wait: so long nothing is said
    engine.resume()


ORDEALS: dict[str, Ordeal] = {
    "restarted": lambda engine: engine.restart(),
    "killed": lambda engine: engine.kill(),
    "hanging": hang,
}


_WHOLE = pytest.mark.whole


def write(lab: LabProject) -> None:
    """Two services, so that the address of one could become that of the other."""
    lab.write(
        web={"build": {"command": "sleep 1"}, "lab": {"boot_delay_ms": 500}},
        backoffice={"kind": "api", "lab": {"version": "backoffice"}},
    )


@pytest.mark.parametrize(
    ("ordeal", "stage"),
    [
        ("restarted", "building"),
        pytest.param("restarted", "starting_candidate", marks=_WHOLE),
        ("restarted", "checking_readiness"),
        ("restarted", "draining_previous"),
        pytest.param("killed", "checking_readiness", marks=_WHOLE),
        pytest.param("killed", "draining_previous", marks=_WHOLE),
        ("hanging", "building"),
        ("hanging", "starting_candidate"),
        pytest.param("hanging", "draining_previous", marks=_WHOLE),
    ],
)
async def test_an_engine_that_comes_back_in_a_run(
    running: House,
    lab: LabProject,
    docker_socket: str,
    engine_faults: Faults,
    ordeal: str,
    stage: str,
) -> None:
    write(lab)
    await running.deployed(lab)
    containers = Containers(docker_socket, running)
    async with Load(await running.target(), LIGHT) as load:
        await load.has_sent(20)
        lab.bump()
        run_id = await running.submit(lab, services=["web"])
        await running.until(run_id, "StageChanged", promotionStage=stage)
        await ORDEALS[ordeal](engine_faults)
        async with asyncio.timeout(faults.LIMIT_S):
            result = await running.end(run_id)
        went_forward = result["run"]["status"] == "succeeded"
        healed = await healed_at(running, lab, "v2" if went_forward else "v1")
        await load.has_sent(load.report().sent + 60)
    report = load.report()
    faults.no_strangers(report, "v1", "v2")
    assert faults.lost_after(report, healed) == []
    if stage == "draining_previous":
        assert went_forward
    if ordeal == "hanging":
        assert [str(loss) for loss in report.lost] == []
    if not went_forward:
        assert result["failureMessage"]
    await settled(running, containers, lab)
    await next_deploy(running, lab, containers)


@pytest.mark.parametrize("ordeal", ["restarted", "killed"])
async def test_an_engine_that_comes_back(
    running: House,
    lab: LabProject,
    docker_socket: str,
    engine_faults: Faults,
    figures: FiguresRecorder,
    ordeal: str,
) -> None:
    write(lab)
    await running.deployed(lab)
    containers = Containers(docker_socket, running)
    async with Load(await running.target(), LIGHT) as load:
        await load.has_sent(20)
        await ORDEALS[ordeal](engine_faults)
        answers = time.monotonic()
        healed = await healed_at(running, lab, "v1")
        await load.has_sent(load.report().sent + 60)
    figures(f"engine {ordeal}: all well after", healed - answers, "s", faults.SEEN_WITHIN_S)
    faults.no_strangers(load.report(), "v1")
    assert faults.lost_after(load.report(), healed) == []
    await settled(running, containers, lab)
    await next_deploy(running, lab, containers)


async def healed_at(running: House, lab: LabProject, version: str) -> float:
    """When all is well again, and this version of `web` answers."""
    await faults.until_answered(await running.target(), version)
    await faults.until_seen(running, lab, faults.all_healthy)
    return time.monotonic()


async def next_deploy(running: House, lab: LabProject, containers: Containers) -> None:
    """Nothing of what befell the engine is in its way."""
    version = lab.bump()
    await running.deployed(lab)
    await faults.until_answered(await running.target(), version)
    await settled(running, containers, lab)


async def settled(running: House, containers: Containers, lab: LabProject) -> None:
    """As it should be, once what was left while the engine was away is removed."""
    async with asyncio.timeout(faults.HEALED_WITHIN_S):
        while True:
            try:
                await faults.as_it_should_be(running, containers, lab, SERVICES)
            except AssertionError as error:
                last = error
            else:
                return
            try:
                await asyncio.sleep(0.1)
            except asyncio.CancelledError:
                raise last from None


@asynccontextmanager
async def behind_a_proxy(
    home: Path, docker_socket: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[House, Cut]]:
    """A house whose way to the engine can be cut."""
    async with cut(docker_socket) as proxy:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{proxy.socket}")
        async with house(home, docker_socket) as running:
            yield running, proxy


@asynccontextmanager
async def away(proxy: Cut) -> AsyncIterator[None]:
    """Nobody reaches the engine meanwhile; its containers go on."""
    proxy.refuse(True)
    proxy.cut_all()
    try:
        yield
    finally:
        proxy.refuse(False)


@pytest.mark.parametrize("stage", EACH_STAGE)
@pytest.mark.parametrize("is_back_at_once", [True, False], ids=["cut", "refusing"])
async def test_the_way_to_the_engine_is_cut_in_a_run(
    home: Path,
    tmp_path: Path,
    docker_socket: str,
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
    is_back_at_once: bool,
) -> None:
    async with behind_a_proxy(home, docker_socket, monkeypatch) as (running, proxy):
        lab = running.lab(tmp_path)
        write(lab)
        await running.deployed(lab)
        containers = Containers(docker_socket, running)
        lab.bump()
        async with Load(await running.target(), LIGHT) as load:
            run_id = await running.submit(lab, services=["web"])
            await running.until(run_id, "StageChanged", promotionStage=stage)
            if is_back_at_once:
                proxy.cut_all()
            else:
                async with away(proxy):
                    await asyncio.sleep(AWAY_S)  # not a wait: so long it is away
            async with asyncio.timeout(faults.LIMIT_S):
                result = await running.end(run_id)
        assert [str(loss) for loss in load.report().lost] == []
        if result["run"]["status"] == "failed":
            assert result["run"]["failureCode"] == EngineUnavailable.code
            assert "the Docker Engine does not answer" in result["failureMessage"]
        await faults.until_seen(running, lab, faults.all_healthy)
        await settled(running, containers, lab)
        lab.bump()
        await running.deployed(lab)
        await settled(running, containers, lab)


async def test_while_the_engine_is_away(
    home: Path, tmp_path: Path, docker_socket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with behind_a_proxy(home, docker_socket, monkeypatch) as (running, proxy):
        lab = running.lab(tmp_path)
        write(lab)
        await running.deployed(lab)
        lab.bump()
        await running.deployed(lab)
        containers = Containers(docker_socket, running)
        for is_stalling in (False, True):
            async with Load(await running.target(), LIGHT) as load, away(proxy):
                if is_stalling:
                    proxy.stall(True)
                    proxy.refuse(False)
                runs = await running.client.runs({"project": lab.name, "limit": 50})
                elsewhere = {"environment": "staging", "sourceEnvironment": "production"}
                for ask in (
                    running.submit(lab),
                    running.client.plan(body(lab)),
                    running.submit(lab, "rollback", services=["web"]),
                    running.submit(lab, "promote", **elsewhere),
                ):
                    with pytest.raises(EngineUnavailable, match="answer") as found:
                        async with asyncio.timeout(60):
                            await ask
                    assert found.value.hint
                    assert exits.of_error(found.value) == exits.Exit.UNREACHABLE
                assert await running.client.runs({"project": lab.name, "limit": 50}) == runs
                async with asyncio.timeout(60):
                    assert (await running.status(lab))["web"]["health"] == "healthy"
                    query = {"project": lab.name, "service": "web", "tail": 5}
                    assert [line async for line in running.client.logs(query)]
                proxy.stall(False)
            assert [str(loss) for loss in load.report().lost] == []
            await settled(running, containers, lab)
        await running.deployed(lab, "rollback", services=["web"])
        await faults.until_answered(await running.target(), "v1")
        await settled(running, containers, lab)


def body(lab: LabProject) -> Json:
    """What a plan of a deploy is asked with."""
    return {
        "project": lab.name,
        "trigger": "deploy",
        "root": str(lab.root),
        "environ": dict(os.environ),
        "engine": "docker",
    }


@pytest.mark.parametrize(
    ("how", "stage"),
    [
        ("refusing", "idle"),
        ("refusing", "checking_readiness"),
        ("refusing", "draining_previous"),
        ("stalling", "idle"),
    ],
)
async def test_the_agent_dies_while_the_engine_is_away(
    home: Path,
    tmp_path: Path,
    docker_socket: str,
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
    how: str,
) -> None:
    async with behind_a_proxy(home, docker_socket, monkeypatch) as (running, proxy):
        lab = running.lab(tmp_path)
        write(lab)
        await running.deployed(lab)
        containers = Containers(docker_socket, running)
        lab.bump()
        async with Load(await running.target(), LIGHT) as load:
            if stage != "idle":
                run_id = await running.submit(lab, services=["web"])
                await running.until(run_id, "StageChanged", promotionStage=stage)
            async with away(proxy):
                if how == "stalling":
                    proxy.stall(True)
                    proxy.refuse(False)
                kill(await running.agent_pid())
                async with asyncio.timeout(faults.LIMIT_S):
                    await running.client.attach()
                proxy.stall(False)
            await faults.until_seen(running, lab, faults.all_healthy)
            if stage != "idle":
                async with asyncio.timeout(faults.LIMIT_S):
                    result = await running.end(run_id)
                assert (result["run"]["status"] == "succeeded") == (stage == "draining_previous")
        assert [str(loss) for loss in load.report().lost] == []
        await settled(running, containers, lab)
        lab.bump()
        await running.deployed(lab)
        await settled(running, containers, lab)
