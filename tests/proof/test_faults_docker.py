"""What goes wrong on a machine, at each moment of a run and in the quiet, under load: Docker.

As with processes (see `test_faults.py`): the agent, the gateway or both are killed or hang, the
gateway's port is taken. And what only containers know: the one that serves is killed, alone or with
the agent or the gateway, or cut off from its network while the agent dies. What was under way in it
is lost with it, and what comes before it is back; everything else is answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.faults import Containers
from tests.proof.faults.containers import of_containers
from tests.proof.faults.holding import hold_against
from tests.proof.faults.kinds import FAULTS
from tests.proof.faults.scene import AFTER_SWITCH, AT_SWITCH, MOMENTS, QUIET

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
