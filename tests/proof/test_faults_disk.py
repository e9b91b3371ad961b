"""The disk of the home folder hangs at each moment of a run, and the agent is killed meanwhile.

The home folder is on a disk of its own, whose file system is frozen (FIFREEZE) for some seconds:
whoever writes to it or syncs it waits, and is not even ended by `kill -9` before it goes on.
Requests are answered all the while and none is lost. Then the run goes on; where the agent was
killed, the next one takes it forward or back. Afterwards all is as after every other fault (see
`test_faults.py`).
"""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.e2e.house import house
from tests.proof.faults.disk import Disk, disk
from tests.proof.faults.holding import Fate, Fault, hold_against
from tests.proof.faults.kinds import STOPPED_S
from tests.proof.faults.scene import MOMENTS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.figures import FiguresRecorder
    from tests.proof.faults.scene import Scene


def hangs(broken: Disk) -> Fault:
    async def befall(_: Scene) -> None:
        async with broken.hanging():
            await asyncio.sleep(STOPPED_S)  # not a wait: so long it hangs

    return Fault(befall)


def hangs_while_the_agent_is_killed(broken: Disk) -> Fault:
    async def befall(it: Scene) -> None:
        agent = await it.running.agent_pid()
        async with broken.hanging():
            # It may end only when the disk goes on.
            os.kill(agent, signal.SIGKILL)
            await asyncio.sleep(STOPPED_S)  # not a wait: so long it hangs
        await it.running.client.attach()

    return Fault(befall, Fate.TURNS)


FAULTS = {
    "the disk hangs": hangs,
    "the agent is killed while the disk hangs": hangs_while_the_agent_is_killed,
}


@pytest.mark.whole
@pytest.mark.timeout(300)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("what", FAULTS)
async def test_fault(
    home: Path, tmp_path: Path, counts: FiguresRecorder, what: str, moment: str
) -> None:
    # In the test's own short folder: a socket's path may not be long.
    with disk(home.parent) as broken:
        async with house(broken.folder / "h") as running:
            lab = running.lab(tmp_path)
            await hold_against(running, lab, FAULTS[what](broken), moment, counts)
