"""The Docker Engine restarts or hangs at each moment of a run, together with another fault.

An engine that restarts ends its containers, as a package update does: what they had under way is
lost with them, and what comes before they are back. One that hangs (`SIGSTOP`: it takes connections
and says nothing) ends nothing: where the gateway lives on, no request is lost, although the agent
is killed meanwhile. Afterwards all is as after every other fault (see `test_faults.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.proof.faults.containers import of_the_engine
from tests.proof.faults.holding import hold_against
from tests.proof.faults.scene import MOMENTS

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject
    from tests.engine.plugin import Faults
    from tests.figures import FiguresRecorder


@pytest.mark.whole
@pytest.mark.timeout(300)
@pytest.mark.engines("docker")
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(
    "what",
    [
        "the engine restarts",
        "the gateway is killed while the engine hangs",
        "the agent is killed while the engine hangs",
        "the engine restarts while the agent is dead",
    ],
)
async def test_fault(
    running: House,
    lab: LabProject,
    engine_faults: Faults,
    counts: FiguresRecorder,
    what: str,
    moment: str,
) -> None:
    await hold_against(running, lab, of_the_engine(engine_faults)[what], moment, counts)
