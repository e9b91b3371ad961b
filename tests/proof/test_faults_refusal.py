"""The gateway refuses an update in the middle of a run, under load.

A service is added, for which the gateway has to listen on another port. The port is free when that
is decided; but while Envoy is held up (`SIGSTOP`) for a moment, somebody else takes it, and Envoy
refuses the whole update. What was served goes on, the run succeeds without that port and the agent
says who is in the way; once it is free, the next deploy opens it. No request is lost.
"""

from __future__ import annotations

import asyncio
import json
import socket
from typing import TYPE_CHECKING

import pytest

from tests.pausing import stopped
from tests.proof.faults.holding import check_lost
from tests.proof.faults.scene import LIMIT_S, scene

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject
    from tests.figures import FiguresRecorder


@pytest.mark.whole
@pytest.mark.timeout(300)
async def test_a_port_is_taken_between_the_decision_and_the_update(
    running: House, lab: LabProject, counts: FiguresRecorder
) -> None:
    async with scene(running, lab) as it:
        before = doors(running)
        lab.write(third={"kind": "api"})
        with socket.socket() as thief:
            async with stopped(running.gateway_pid()):
                run_id = await running.submit(lab)
                async with asyncio.timeout(LIMIT_S):
                    while not (wanted := doors(running) - before):
                        await asyncio.sleep(0.01)
                (port,) = wanted
                thief.bind(("127.0.0.1", port))
                thief.listen()
            async with asyncio.timeout(LIMIT_S):
                result = await running.end(run_id)
            assert result["run"]["status"] == "succeeded", result["failureMessage"]
            assert doors(running) == before
        assert f"port {port}, where" in running.home.agent_output.read_text()
        await running.deployed(lab, "redeploy")
        assert doors(running) == {*before, port}
        await it.load.has_sent(it.load.report().sent + 30)
    report = it.load.report()
    check_lost(report, lab, 0, 0, cuts=False)
    counts("requests sent", report.sent, "requests")
    counts("requests lost", len(report.lost), "requests")


def doors(running: House) -> set[int]:
    """The ports that the gateway was told to listen on last."""
    found = json.loads((running.home.gateway / "listeners.json").read_text())["resources"]
    addresses = (each["address"].get("socket_address") for each in found)
    return {each["port_value"] for each in addresses if each}
