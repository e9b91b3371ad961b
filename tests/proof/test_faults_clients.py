"""What befalls those who deploy: many at once, terminals that are closed, an agent that hangs.

* Ten commands deploy the same service in the same moment: each run gets its turn and succeeds.
* The terminal of a command, or of a dashboard, is closed (SIGHUP) at each stage: the run goes on in
  the agent to its end, and the command says so.
* An agent that hangs for half a minute in the middle of a run is told of by whoever asks, with the
  way out; when it goes on, so does the run.
* The home folder is removed while all of it is used: the agent ends, and a command that follows a
  run says why; what was live is served until the next deploy, which takes its place.

All of it under load, of which nothing is lost.
"""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from core.agent import launcher
from core.errors import AgentUnavailable
from core.gateway.table import Ports
from tests.pausing import stopped
from tests.proof.faults.commands import command
from tests.proof.faults.holding import check_lost
from tests.proof.faults.scene import (
    AFTER_SWITCH,
    AT_SWITCH,
    BEFORE_SWITCH,
    HELD,
    LIMIT_S,
    QUIET,
    scene,
)
from tests.tui.pty import terminal

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject
    from tests.figures import FiguresRecorder
    from tests.proof.faults.scene import Scene

pytestmark = [
    pytest.mark.whole, pytest.mark.timeout(300), pytest.mark.engines("process", "docker"),
]  # fmt: skip

STAGES = [each for each in (*BEFORE_SWITCH, AT_SWITCH, AFTER_SWITCH) if each != HELD]
CLIENTS = 10
HANGS_S = 30.0


async def test_many_deploy_at_once(
    running: House, lab: LabProject, counts: FiguresRecorder
) -> None:
    async with scene(running, lab) as it, AsyncExitStack() as commands:
        lab.bump()
        begun = [
            await commands.enter_async_context(command(lab, "redeploy", "--engine", running.engine))
            for _ in range(CLIENTS)
        ]
        for each in begun:
            assert await each.end() == 0, each.said
        await it.is_well("v2")
        runs = (await running.client.runs({"project": lab.name, "limit": 50}))["runs"]
        await it.next_deploy_works()
    assert [each["status"] for each in runs] == ["succeeded"] * (CLIENTS + 1)
    nothing_lost(it, counts)


@pytest.mark.parametrize("stage", STAGES)
async def test_the_terminal_of_a_command_is_closed(
    running: House, lab: LabProject, counts: FiguresRecorder, stage: str
) -> None:
    async with scene(running, lab) as it:
        lab.bump()
        async with command(lab, "deploy", "--engine", running.engine) as deploy:
            await deploy.until(stage)
            deploy.signal(signal.SIGHUP)
            assert await deploy.end() == 128 + signal.SIGHUP, deploy.said
        it.run_id = deploy.said.partition(":")[0]
        assert await it.end(), it.told
        await it.is_well("v2")
        await it.next_deploy_works()
    nothing_lost(it, counts)


@pytest.mark.parametrize("stage", STAGES)
async def test_the_window_of_a_dashboard_is_closed(
    running: House, lab: LabProject, counts: FiguresRecorder, stage: str
) -> None:
    async with scene(running, lab) as it, terminal(cwd=lab.root) as dashboard:
        await dashboard.until("2 live")
        await it.reach(stage)
        dashboard.hang_up()
        assert await dashboard.end() == 128 + signal.SIGHUP
        assert await it.end(), it.told
        await it.is_well("v2")
        await it.next_deploy_works()
    nothing_lost(it, counts)


@pytest.mark.engines("process")
@pytest.mark.parametrize("moment", ["checking_readiness", HELD])
async def test_an_agent_hangs_for_long(
    running: House, lab: LabProject, counts: FiguresRecorder, moment: str
) -> None:
    async with scene(running, lab) as it:
        await it.reach(moment)
        began = time.monotonic()
        async with stopped(await running.agent_pid()):
            with pytest.raises(AgentUnavailable, match="hangs") as told:
                await running.client.attach()
            assert "doctor" in (told.value.hint or "")
            async with command(lab, "doctor") as doctor:
                assert await doctor.end() == 4
            # Not a wait: so long it hangs.
            await asyncio.sleep(began + HANGS_S - time.monotonic())
        assert await it.end(), it.told
        await it.is_well("v2")
        await it.next_deploy_works()
    nothing_lost(it, counts)


@pytest.mark.engines("process")
@pytest.mark.parametrize("moment", [QUIET, "building", "checking_readiness"])
async def test_the_home_folder_is_removed(
    running: House, lab: LabProject, counts: FiguresRecorder, moment: str
) -> None:
    async with scene(running, lab) as it, AsyncExitStack() as commands:
        agent = await running.agent_pid()
        if moment != QUIET:
            lab.bump()
            deploy = await commands.enter_async_context(
                command(lab, "deploy", "--engine", running.engine)
            )
            await deploy.until(moment)
        # Somebody may still write into it.
        shutil.rmtree(running.home.root, ignore_errors=True)
        async with asyncio.timeout(LIMIT_S):
            await launcher.wait_ended(agent)
        if moment != QUIET:
            assert await deploy.end() == 4, deploy.said
            assert f"the home folder {running.home.root} is gone" in deploy.said
        await it.load.has_sent(it.load.report().sent + 100)
    nothing_lost(it, counts)
    await running.client.attach(ports=Ports(0, 0))
    await running.deployed(lab)
    await it.is_as_it_should_be(f"v{lab.version}")


def nothing_lost(it: Scene, counts: FiguresRecorder) -> None:
    """Of all that was sent."""
    report = it.load.report()
    check_lost(report, it.lab, 0, 0, cuts=False)
    counts("requests sent", report.sent, "requests")
    counts("requests lost", len(report.lost), "requests")
