"""What goes wrong on a machine, at each moment of a run and in the quiet, under load: processes.

A project of two services is deployed and asked all the time: short requests, kept connections,
uploads, event streams and websockets. Then something befalls the agent, the gateway, or both at
once: it is killed (`kill -9`), it hangs (`SIGSTOP`), its port is taken. That is done in the quiet,
and when a second deploy has come to a given stage. Afterwards, each time:

* no request was lost but those that were under way in what was killed, or came before it was back;
  none was carried out twice, and nobody got somebody else's reply;
* the run has gone on, or gone back and said why in one line; what it says is what answers;
* without anybody's help each service has one active deployment, which is told to be well, one agent
  and one gateway run, and nothing is left over;
* the next deploy works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.proof.faults.holding import hold_against
from tests.proof.faults.kinds import FAULTS
from tests.proof.faults.scene import AFTER_SWITCH, AT_SWITCH, MOMENTS, QUIET

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject
    from tests.figures import FiguresRecorder

SHORT = {
    ("the agent and the gateway are killed", AT_SWITCH),
    ("the gateway is killed while the agent hangs", AFTER_SWITCH),
    ("the gateway's port is stolen", QUIET),
}
"""What `make test` tries, too."""

CASES = [
    pytest.param(what, moment, marks=() if (what, moment) in SHORT else pytest.mark.whole)
    for what in FAULTS
    for moment in MOMENTS
    if (what, moment) != ("the run is cancelled", QUIET)
]


@pytest.mark.timeout(300)
@pytest.mark.engines("process")
@pytest.mark.parametrize(("what", "moment"), CASES)
async def test_fault(
    running: House, lab: LabProject, counts: FiguresRecorder, what: str, moment: str
) -> None:
    await hold_against(running, lab, FAULTS[what], moment, counts)
