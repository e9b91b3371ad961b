"""Proof 2: what is in flight at the switch finishes; what lasts too long is cut, and counted."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.e2e.clients import follow_stream, get
from tests.load.load import Load
from tests.load.outcome import StreamEnd
from tests.load.plan import NO_LOAD

if TYPE_CHECKING:
    from tests.e2e.house import House, Json, LabProject
    from tests.figures import FiguresRecorder

pytestmark = pytest.mark.engines("process", "docker")

DURATIONS_S = (0.8, 1, 1.5, 2, 3, 4, 6, 8)


async def drained(running: House, run_id: str) -> Json:
    """The one event that tells how the previous deployment was drained."""
    events = await running.events(run_id)
    (found,) = [event for event in events if event["type"] == "PreviousDrained"]
    return found


@pytest.mark.timeout(120)
async def test_requests_in_flight_finish(
    running: House, lab: LabProject, figures: FiguresRecorder
) -> None:
    await running.deployed(lab)
    target = await running.target()
    lab.bump()
    # Beside the long ones, some of 0.1 s at every moment.
    async with (
        Load(target, replace(NO_LOAD, fresh_per_s=20)) as load,
        asyncio.TaskGroup() as group,
    ):
        slow = [
            group.create_task(get(target, f"/slow?ms={seconds * 1000:.0f}"))
            for seconds in DURATIONS_S
        ]
        short = [group.create_task(get(target, "/slow?ms=100")) for _ in range(20)]
        result = await running.deployed(lab)
    replies = [task.result() for task in (*slow, *short)]
    assert {reply.status for reply in replies} == {200}
    assert load.report().lost == ()
    assert result["run"]["cutRequests"] == 0
    assert {reply.version for reply in replies if reply in [t.result() for t in slow]} == {"v1"}
    (sigterm,) = lab.access_log.named("sigterm", "v1")
    assert sigterm.details["open_requests"] == 0
    waited_s = sigterm.time - max(task.result().ended_at for task in slow)
    figures("SIGTERM after the last response", waited_s * 1000, "ms", 300)
    # A response has left the instance a moment before its client has read it.
    assert -0.1 < waited_s < 0.9


@pytest.mark.timeout(120)
async def test_too_long_a_request_is_cut_and_counted(
    running: House, lab: LabProject, figures: FiguresRecorder
) -> None:
    lab.write(web={"lab": {"term_mode": "instant"}, "drain": {"timeoutMs": 2000}})
    await running.deployed(lab)
    target = await running.target()
    lab.bump()
    async with asyncio.TaskGroup() as group:
        request = group.create_task(get(target, "/slow?ms=30000"))
        run_id = await running.submit(lab)
        await running.until(run_id, "RoutesSwitched")
        switched_at = time.time()
        result = await running.end(run_id)
    assert result["run"]["status"] == "succeeded"
    assert result["run"]["cutRequests"] == 1
    assert (await drained(running, run_id))["requestsCut"] == 1
    # The gateway tells the client that its request was cut, since no reply had begun.
    assert request.result().status == 503
    cut_after_s = request.result().ended_at - switched_at
    figures("a request is cut at its limit of 2 s after", cut_after_s, "s", 2.2)
    assert 1.8 < cut_after_s < 2.6


@pytest.mark.timeout(120)
async def test_a_request_that_ends_in_the_grace_is_not_cut(running: House, lab: LabProject) -> None:
    lab.write(web={"drain": {"timeoutMs": 500}})
    await running.deployed(lab)
    target = await running.target()
    lab.bump()
    async with asyncio.TaskGroup() as group:
        request = group.create_task(get(target, "/slow?ms=3000"))
        result = await running.deployed(lab)
    assert request.result().status == 200
    assert result["run"]["cutRequests"] == 0


@pytest.mark.timeout(120)
@pytest.mark.parametrize("websocket", [True, False], ids=["websocket", "events"])
async def test_an_endless_stream_holds_no_deploy(
    running: House, lab: LabProject, figures: FiguresRecorder, *, websocket: bool
) -> None:
    lab.write(web={"drain": {"streamsMs": 1000}})
    await running.deployed(lab)
    target = await running.target()
    lab.bump()
    async with asyncio.TaskGroup() as group:
        stream = group.create_task(follow_stream(target, websocket=websocket))
        run_id = await running.submit(lab)
        told = await drained(running, run_id)
    # The application was asked, and has closed the stream in the protocol's own way.
    assert stream.result()[0] is StreamEnd.CLOSED
    assert told["streamsClosed"] == 1
    assert (await running.end(run_id))["run"]["cutRequests"] == 0
    kind = "websocket" if websocket else "event stream"
    figures(f"a {kind} holds a deploy (streamsMs 1000)", told["seconds"], "s", 1.1)
    assert 0.9 < told["seconds"] < 3.3


@pytest.mark.timeout(120)
async def test_one_that_ignores_sigterm_is_killed(running: House, lab: LabProject) -> None:
    lab.write(web={"lab": {"term_mode": "ignore"}})
    await running.deployed(lab)
    lab.bump()
    began = time.monotonic()
    await running.deployed(lab)
    assert 9 < time.monotonic() - began < 60
    assert len(running.instance_names()) == 1
