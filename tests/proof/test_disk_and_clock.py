"""A disk that fills up and a clock that jumps do not make anything wrong, whenever they do.

The disk: a home on a small disk of its own, which is filled to the last byte at each stage of a
deploy. What is live goes on to serve and no request is lost; what cannot be written is one clear
error; when there is room again the next command goes on, and all is as after any other crash.

The clock: an agent whose clock the test sets forth and back by an hour and by a day. History stays
in the order in which it happened, so that a rollback goes to what really was before; and nothing
that waits (readiness, a drain, a held run, the watch after a switch, a cron) ends early or hangs.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from core.errors import AgentUnavailable, CompartmentError
from tests.e2e.clients import get, held
from tests.e2e.house import house
from tests.e2e.test_hardships import fill, small_disk
from tests.load.load import Load
from tests.proof.crash_facts import Expected
from tests.proof.crash_truth import until_true
from tests.proof.own_agent import start

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.e2e.house import House, Json, LabProject
    from tests.figures import FiguresRecorder

LIMIT_S = 60.0
STAGES = (
    "building", "starting_candidate", "checking_readiness", "switching_route", "draining_previous",
)  # fmt: skip
EXPECTED = Expected("lab", "production", frozenset({"web", "backoffice"}))

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WHOLE = pytest.mark.whole


@WHOLE  # one stage is in tests/e2e/test_hardships.py
@pytest.mark.timeout(300)
@pytest.mark.parametrize("stage", STAGES)
async def test_a_disk_that_fills_up(tmp_path: Path, counts: FiguresRecorder, stage: str) -> None:
    with small_disk(tmp_path / "disk", "size=24m") as disk:
        async with house(disk / "h") as running:
            lab = running.lab(tmp_path)
            slow = {"lab": {"boot_delay_ms": 400}}
            lab.write(web={**slow, "build": {"command": "sleep 0.3"}}, backoffice={"kind": "api"})
            await running.deployed(lab, label="v1")
            lab.bump()
            async with Load(await running.target()) as load:
                run_id = await running.submit(lab, label="v2")
                await running.until(run_id, "StageChanged", promotionStage=stage)
                fill(disk / "filler")
                told = await what_is_said(running, run_id)
                (disk / "filler").unlink()
                await running.client.attach()
                await until_true(running, EXPECTED, LIMIT_S)
                lab.bump()
                await running.deployed(lab, label="v3")
                await until_true(running, EXPECTED, LIMIT_S)
            # Pages of the journal's log are used again: what was left to write may have had room.
            assert not told or "full" in told or "No space left" in told, told
            report = load.report()
            assert [str(loss) for loss in report.lost] == []
    counts("requests sent", report.sent, "requests")
    counts("requests lost", len(report.lost), "requests", 0)


async def what_is_said(running: House, run_id: str) -> str:
    """How a run ends that cannot write any more; nothing where it has ended well."""
    with suppress(AgentUnavailable):
        async for _ in running.client.events(0, run_id):
            pass
        return str((await running.client.run_result(run_id))["failureMessage"] or "")
    # The agent has ended: the next command says why it cannot go on, unless it can.
    try:
        await running.client.attach()
    except CompartmentError as error:
        return f"{error.message} ({error.hint})"
    return ""


class Clock:
    """That of the agent, which nobody else goes by."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._ahead = timedelta()

    def jump(self, by: timedelta) -> None:
        """Sets it forth or back, from where it is."""
        self._ahead += by
        before = self.file.with_suffix(".new")
        before.write_text(str(self._ahead.total_seconds()))
        before.replace(self.file)


@pytest.fixture
async def clock(running: House, tmp_path: Path) -> AsyncIterator[Clock]:
    """The clock of the agent of `running`, which is another one by now."""
    found = Clock(tmp_path / "clock")
    await running.client.stop_agent()
    agent = await started(running, found)
    yield found
    agent.kill()
    agent.wait()


async def started(running: House, clock: Clock) -> subprocess.Popen[bytes]:
    arguments = ("tests.proof.shifting", str(clock.file))
    return await asyncio.to_thread(start, running.home, *arguments)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "by",
    [-DAY, *(pytest.param(each, marks=WHOLE) for each in (-HOUR, HOUR, DAY))],
    ids=str,
)
async def test_history_is_in_the_order_of_what_happened(
    running: House, lab: LabProject, clock: Clock, by: timedelta
) -> None:
    for _ in range(4):
        await running.deployed(lab, label=f"v{lab.version}")
        lab.bump()
        clock.jump(by)
    assert await labels(running, lab) == ["v4", "v3", "v2", "v1"]
    for version in ("v3", "v2"):
        assert await active_after(running, lab, "rollback") == version
        clock.jump(by)
    # What is newest is that which was started again last.
    assert (await running.status(lab))["web"]["label"] == "v2"
    runs = (await running.client.runs({"project": lab.name, "limit": 10}))["runs"]
    assert [each["trigger"] for each in runs] == ["rollback"] * 2 + ["deploy"] * 4
    # The next agent has the machine's clock, and none of what this one knew.
    await running.client.stop_agent()
    await running.client.attach()
    assert await active_after(running, lab, "deploy") == "v5"
    assert await active_after(running, lab, "rollback") == "v2"
    assert (await labels(running, lab))[0] == "v5"


async def active_after(running: House, lab: LabProject, trigger: str) -> str:
    """Which version a run has made active, by what is said and what answers."""
    more = {"label": f"v{lab.version}"} if trigger == "deploy" else {}
    await running.deployed(lab, trigger, **more)
    (active,) = (await running.active(lab))["web"]
    assert (await get(await running.target(), "/version")).version == active["label"]
    return str(active["label"])


async def labels(running: House, lab: LabProject) -> list[str]:
    """The deployments as they are listed."""
    found = await running.client.history({"project": lab.name, "limit": 20})
    return [each["label"] for each in found["deployments"]]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "by",
    [DAY, *(pytest.param(each, marks=WHOLE) for each in (-DAY, -HOUR, HOUR))],
    ids=str,
)
async def test_what_a_run_waits_for_goes_on(
    running: House, lab: LabProject, clock: Clock, by: timedelta
) -> None:
    slow = {"boot_delay_ms": 700}
    lab.write(web={"lab": slow, "drain": {"timeoutMs": 120_000}})
    await running.deployed(lab)
    lab.bump()
    async with held(await running.target()) as request, asyncio.timeout(LIMIT_S * 2):
        run_id = await running.submit(lab)
        await running.until(run_id, "StageChanged", promotionStage="checking_readiness")
        clock.jump(by)
        await running.client.hold(run_id)
        clock.jump(by)
        await running.client.resume(run_id)
        await running.until(run_id, "RoutesSwitched")
        clock.jump(by)
        # The drain has looked more than once at what is still there.
        await until_waiting(running, lab, "drain")
        assert (await request.end()).status == 200
        result = await running.end(run_id)
    assert (result["run"]["status"], result["run"]["cutRequests"]) == ("succeeded", 0)

    never = {"type": "http", "path": "/up", "timeoutMs": 6000}
    lab.write(web={"lab": {"never_ready": 1}, "readiness": never})
    run_id = await running.submit(lab)
    await running.until(run_id, "StageChanged", promotionStage="checking_readiness")
    clock.jump(by)
    await until_waiting(running, lab, "readiness")
    async with asyncio.timeout(LIMIT_S):
        assert (await running.end(run_id))["run"]["status"] == "failed"


async def until_waiting(running: House, lab: LabProject, kind: str) -> None:
    """Returns once something has been waited for as long as another deploy takes."""
    async with asyncio.timeout(LIMIT_S):
        async for update in running.client.watch({"project": lab.name}):
            waiting = update.get("services", {}).get("web", {}).get("waiting") or {}
            if waiting.get("kind") == kind:
                break
    other = running.lab(lab.root.parent / kind, f"other-{kind}")
    other.write(web={})
    await running.deployed(other)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("by", [-DAY, pytest.param(-HOUR, marks=WHOLE)], ids=str)
async def test_a_watch_ends_in_its_time(
    running: House, lab: LabProject, clock: Clock, by: timedelta
) -> None:
    lab.write(web={"autoRollback": {"windowMs": 3000}})
    await running.deployed(lab)
    lab.bump()
    result = await running.deployed(lab)
    clock.jump(by)
    ended = await told(running, "WatchEnded", result["deployments"][0]["id"])
    assert "after its switch are over" in ended["because"]


@WHOLE
@pytest.mark.timeout(300)
@pytest.mark.parametrize("by", [HOUR, DAY], ids=str)
async def test_a_watch_does_not_end_early(
    running: House, lab: LabProject, clock: Clock, by: timedelta
) -> None:
    lab.write(web={"autoRollback": {"windowMs": 30_000}})
    (first,) = (await running.deployed(lab))["deployments"]
    lab.bump()
    lab.write(web={"autoRollback": {"windowMs": 30_000}, "lab": {"fail_ready_after_ms": 3000}})
    (second,) = (await running.deployed(lab))["deployments"]
    clock.jump(by)
    await told(running, "AutomaticRollback", second["id"])
    async with asyncio.timeout(LIMIT_S):
        while (await running.active(lab))["web"][0]["id"] != first["id"]:
            await asyncio.sleep(0.05)


async def told(running: House, type_: str, deployment_id: str) -> Json:
    """Waits for an event of a deployment."""
    async with asyncio.timeout(LIMIT_S):
        async for event in running.client.events(0):
            if (event["type"], event["deploymentId"]) == (type_, deployment_id):
                return event
    raise AssertionError("the events have an end")


@WHOLE
@pytest.mark.timeout(500)
async def test_a_cron_goes_on(running: House, lab: LabProject, clock: Clock) -> None:
    """What it was not there for is told; after a day back its schedule begins anew (cron(8))."""
    tidy = {"kind": "cron", "readiness": None, "run": {"command": "true"}, "schedule": "* * * * *"}
    lab.write(web={}, tidy=tidy)
    await running.deployed(lab)
    await ran(running, lab, 1)
    clock.jump(DAY)
    await ran(running, lab, 2)
    found = await running.client.executions({"project": lab.name, "service": "tidy"})
    (missed,) = [each for each in found["executions"] if each["status"] == "missed"]
    assert missed["missed"] == 1000  # of more it is told as many
    clock.jump(-DAY)
    await ran(running, lab, 3)


async def ran(running: House, lab: LabProject, times: int) -> None:
    """Waits until a cron has run so often: once a minute, and who sleeps looks each half."""
    query = {"project": lab.name, "service": "tidy", "limit": 100}
    async with asyncio.timeout(150):
        while True:
            found = (await running.client.executions(query))["executions"]
            if sum(each["status"] == "succeeded" for each in found) >= times:
                return
            await asyncio.sleep(0.5)
