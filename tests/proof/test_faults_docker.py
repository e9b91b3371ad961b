"""What goes wrong on a machine, at each moment of a run and in the quiet, under load: Docker.

As with processes (see `test_faults.py`): the agent, the gateway or both are killed or hang, the
gateway's port is taken. And what only containers know: the one that serves is killed, alone or with
the agent or the gateway, or cut off from its network while the agent dies. What was under way in it
is lost with it, and what comes before it is back; everything else is answered. One that turns
unhealthy after its switch is rolled back by itself, and no request is lost over that.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.e2e.clients import get
from tests.e2e.faults import Containers
from tests.proof.faults.containers import of_containers
from tests.proof.faults.holding import check_lost, hold_against
from tests.proof.faults.kinds import FAULTS
from tests.proof.faults.scene import AFTER_SWITCH, AT_SWITCH, LIMIT_S, MOMENTS, QUIET, scene

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject
    from tests.figures import FiguresRecorder

pytestmark = [pytest.mark.whole, pytest.mark.timeout(300), pytest.mark.engines("docker")]

MOMENTS_OF_CONTAINERS = (QUIET, "checking_readiness", AT_SWITCH, AFTER_SWITCH)


@pytest.mark.parametrize(
    ("what", "moment"),
    [
        (what, moment)
        for what in FAULTS
        for moment in MOMENTS
        if (what, moment) != ("the run is cancelled", QUIET)
    ],
)
async def test_fault(
    running: House, lab: LabProject, counts: FiguresRecorder, what: str, moment: str
) -> None:
    await hold_against(running, lab, FAULTS[what], moment, counts)


@pytest.mark.parametrize("moment", MOMENTS_OF_CONTAINERS)
@pytest.mark.parametrize(
    "what",
    [
        "a container is killed",
        "a container and the agent are killed",
        "a container and the gateway are killed",
        "a container is cut off and the agent killed",
    ],
)
async def test_container(
    running: House,
    lab: LabProject,
    docker_socket: str,
    counts: FiguresRecorder,
    what: str,
    moment: str,
) -> None:
    faults = of_containers(Containers(docker_socket, running))
    await hold_against(running, lab, faults[what], moment, counts)


async def test_rolled_back_by_itself(
    running: House, lab: LabProject, counts: FiguresRecorder
) -> None:
    async with scene(running, lab) as it:
        first = await running.active(lab)
        lab.bump()
        lab.write(
            web={"autoRollback": {"windowMs": 3_600_000}, "lab": {"fail_ready_after_ms": 3000}}
        )
        await running.deployed(lab)
        target = await running.target()
        async with asyncio.timeout(LIMIT_S):
            while (await get(target, "/version")).version != "v1":
                await asyncio.sleep(0.1)
        await it.is_well("v1")
        assert (await running.active(lab))["web"][0]["id"] == first["web"][0]["id"]
        assert "unhealthy" in (await running.status(lab))["web"]["returnedBecause"]
        lab.write(web={})
        await it.next_deploy_works()
    report = it.load.report()
    check_lost(report, lab, 0, 0, cuts=False)
    counts("requests sent", report.sent, "requests")
    counts("requests lost", len(report.lost), "requests")
