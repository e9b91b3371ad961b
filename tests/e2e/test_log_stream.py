"""Many lines a second through the real agent: all of them, in order, soon, and cheaply."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING

import psutil

from core.lines import Line, RotatingFile, stamp
from core.model import Stream

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.house import House, Json, LabProject
    from tests.figures import FiguresRecorder

LINES_PER_S = 10_000
SECONDS = 3
BURST = 100


async def write(path: Path) -> None:
    """Writes numbered lines at the rate, as a service would that has much to say."""
    file = RotatingFile(path)
    began = time.monotonic()
    for first in range(0, SECONDS * LINES_PER_S, BURST):
        await asyncio.sleep(max(0.0, began + first / LINES_PER_S - time.monotonic()))
        numbers = range(first, first + BURST)
        text = 'GET /api/items 200 in 12 ms, user "somebody" of somewhere'
        file.append([Line(stamp(), Stream.STDOUT, f"{number} {text}") for number in numbers])
    file.close()


async def test_ten_thousand_lines_a_second(
    running: House, lab: LabProject, figures: FiguresRecorder
) -> None:
    deployed = await running.deployed(lab)
    deployment = deployed["deployments"][0]["id"]
    agent = psutil.Process(await running.agent_pid())
    found: list[Json] = []
    delays_s: list[float] = []
    batches = 0

    async def read() -> None:
        nonlocal batches
        async for batch in running.client.log_batches(
            {"project": "lab", "tail": 1, "following": "true"}
        ):
            batches += 1
            found.extend(batch)
            last = datetime.fromisoformat(batch[-1]["timestamp"])
            delays_s.append(time.time() - last.timestamp())
            if len(found) > SECONDS * LINES_PER_S:
                return

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        reading = group.create_task(read())
        while not found:
            await asyncio.sleep(0.01)
        before = agent.cpu_times()
        await group.create_task(write(running.home.logs / deployment / f"{deployment}.9.log"))
        await reading
    after = agent.cpu_times()
    numbers = [int(line["message"].split(" ")[0]) for line in found[1:]]
    assert numbers == list(range(SECONDS * LINES_PER_S))
    assert batches < SECONDS * LINES_PER_S / 50
    spent_s = after.user + after.system - before.user - before.system
    figures(f"the agent at {LINES_PER_S} lines/s", 100 * spent_s / SECONDS, "% CPU", 15)
    figures("from written to read, longest", 1000 * max(delays_s[1:]), "ms", 300)


async def test_what_fails_at_once_is_told_to_who_follows(running: House, lab: LabProject) -> None:
    await running.deployed(lab)
    following = {"project": "lab", "tail": 1, "following": "true"}
    found: list[Json] = []
    begun = asyncio.Event()

    async def read() -> None:
        async for batch in running.client.log_batches(following):
            found.extend(batch)
            begun.set()

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        reading = group.create_task(read())
        await begun.wait()
        failed = []
        for _ in range(3):
            lab.bump()
            lab.write(web={"build": {"command": "echo no; false"}})
            failed += (await running.run(lab))["deployments"]
        for each in failed:
            written = await lines_of(running, each)
            assert "no" in written
            while [line["message"] for line in found if is_of(line, each)] != written:
                await asyncio.sleep(0.05)
        reading.cancel()


async def test_who_follows_on_after_a_loss_learns_what_has_ended_meanwhile(
    running: House, lab: LabProject
) -> None:
    await running.deployed(lab)
    lab.bump()
    lab.write(web={"lab": {"never_ready": 1}})
    run_id = await running.submit(lab)
    began = await running.until(run_id, "StageChanged", promotionStage="checking_readiness")
    await running.client.stop_agent()  # which takes the run back
    await running.client.attach_again()
    (failed,) = (await running.client.run_result(run_id))["deployments"]
    query = {"project": "lab", "following": "true", "tail": 1000, "since": began["timestamp"]}
    async with asyncio.timeout(60):
        async with aclosing(running.client.log_batches({**query, "past": "true"})) as batches:
            batch = await anext(batches)
    told = [line["message"] for line in batch if is_of(line, failed)]
    assert "failed: not switched: cancelled" in told
    assert told == (await lines_of(running, failed))[-len(told) :]


def is_of(line: Json, deployment: Json) -> bool:
    return bool(line["deploymentId"] == deployment["id"])


async def lines_of(running: House, deployment: Json) -> list[str]:
    """Everything that was written for a deployment."""
    query = {"project": "lab", "deployment": deployment["id"], "tail": 1000}
    return [line["message"] async for line in running.client.logs(query)]
