"""Jobs and crons through the agent's interface, with real processes, without a gateway."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Conflict, NotFound
from core.files import Home
from core.lines import stamp
from core.model import EngineName, ExecutionStatus, Schedule, ScheduleOverlap, ServiceKind
from core.promotion.requests import Down
from tests.agent.inside import agent_inside
from tests.promotion.records import TARGET
from tests.promotion.works import LIMIT_S, Works

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.agent.client import Client
    from core.platform import Platform

Json = dict[str, Any]
HERE = {"project": TARGET.project, "environment": TARGET.environment}
NEVER = "0 0 29 2 *"
UP = "echo up; sleep 600"


class Agent:
    """A served platform, its client, and what is deployed to it."""

    def __init__(self, platform: Platform, client: Client, root: Path) -> None:
        self.platform = platform
        self.client = client
        engine = platform.parts.engines.of(EngineName.PROCESS)
        self.works = Works(platform.parts, engine, root)

    async def cron(
        self, command: str, overlap: ScheduleOverlap = ScheduleOverlap.SKIP, **schedule: Any
    ) -> None:
        """One that is not due by itself."""
        described = Schedule(**{"cron": NEVER, "overlap": overlap, **schedule})
        await self.works.deployed(command, schedule=described)

    async def execute(self, service: str = "nightly") -> Json:
        return await self.client.execute({**HERE, "service": service})

    async def ended(self, execution: Json) -> Json:
        """An execution once it is over."""
        async with asyncio.timeout(LIMIT_S):
            while execution["id"] in self.platform.ledger.executions:
                await self.platform.ledger.wait_change()
        return await self.client.execution(execution["id"])

    async def lines(self, execution: Json, **query: Any) -> list[str]:
        """Its output to its end."""
        wanted = {**HERE, "execution": execution["id"], "following": "true", **query}
        async with asyncio.timeout(LIMIT_S):
            return [line["message"] async for line in self.client.logs(wanted)]

    async def until_up(self, execution: Json) -> None:
        wanted = {**HERE, "execution": execution["id"], "following": "true", "stream": "stdout"}
        async with asyncio.timeout(LIMIT_S):
            async for line in self.client.logs(wanted):
                if line["message"] == "up":
                    return

    async def all(self) -> list[Json]:
        found: list[Json] = (await self.client.executions(HERE))["executions"]
        return found


@pytest.fixture
async def agent(home: Path, tmp_path: Path) -> AsyncIterator[Agent]:
    async with agent_inside(home) as (platform, client):
        found = Agent(platform, client, tmp_path)
        try:
            yield found
        finally:
            for each in list(platform.ledger.executions):
                await platform.parts.executions.cancel(each, "the test is over")


async def test_run_by_hand_with_its_output_to_the_end(agent: Agent) -> None:
    await agent.works.deployed("echo one; echo two; exit 3", name="migrate", kind=ServiceKind.JOB)
    begun = await agent.execute("migrate")
    assert (begun["status"], begun["trigger"], begun["serviceName"]) == (
        "running",
        "manual",
        "migrate",
    )
    assert await agent.lines(begun, stream="stdout") == ["one", "two"]
    ended = await agent.client.execution(begun["id"])
    assert (ended["status"], ended["exitCode"], ended["message"]) == (
        "failed",
        3,
        "exited with code 3",
    )
    assert await agent.lines(begun, stream="stdout") == ["one", "two"]
    assert await agent.all() == [ended]
    of_service = {**HERE, "service": "migrate", "tail": 1000}
    told = [line["message"] async for line in agent.client.logs(of_service)]
    assert {"one", "two", f"execution {begun['id']} started by hand"} <= set(told)


async def test_cancelled_by_hand(agent: Agent) -> None:
    await agent.cron(UP)
    begun = await agent.execute()
    await agent.until_up(begun)
    ended = await agent.client.cancel_execution(begun["id"])
    assert (ended["status"], ended["message"]) == ("cancelled", "cancelled by hand")
    with pytest.raises(Conflict, match="is over: cancelled"):
        await agent.client.cancel_execution(begun["id"])


async def test_what_can_not_be_run(agent: Agent) -> None:
    await agent.works.deployed("sleep 600", name="web", kind=ServiceKind.WEB)
    with pytest.raises(Conflict, match="service web is a web, which runs all the time"):
        await agent.execute("web")
    with pytest.raises(NotFound, match="nightly is not active in shop/production") as caught:
        await agent.execute("nightly")
    assert caught.value.hint == "deploy it: compartment deploy --env production"
    with pytest.raises(NotFound, match="no execution exe_none"):
        await agent.client.execution("exe_none")
    with pytest.raises(NotFound, match="no execution exe_none"):
        await agent.client.cancel_execution("exe_none")
    with pytest.raises(NotFound, match="no execution exe_none"):
        await agent.lines({"id": "exe_none"})


async def test_two_at_a_time_as_the_schedule_says(agent: Agent) -> None:
    await agent.cron(UP)
    first = await agent.execute()
    told = f"{first['id']} of nightly still runs, and two must not"
    with pytest.raises(Conflict, match=told) as refused:
        await agent.execute()
    mend = f"wait for it, or end it: compartment execution cancel {first['id']}"
    assert refused.value.hint == mend
    await agent.platform.ledger.write(*_displaced(agent))
    await agent.cron(UP, ScheduleOverlap.REPLACE)
    second = await agent.execute()
    replaced = await agent.client.execution(first["id"])
    assert replaced["message"] == "the next one takes its place"
    await agent.platform.ledger.write(*_displaced(agent))
    await agent.cron(UP, ScheduleOverlap.ALLOW)
    third = await agent.execute()
    assert agent.platform.ledger.executions.keys() == {second["id"], third["id"]}


def _displaced(agent: Agent) -> list[Any]:
    """As a deploy does it; what runs of it goes on."""
    active = agent.platform.ledger.active(TARGET).values()
    return [each.changed(is_active=False) for each in active]


async def _told(agent: Agent, count: int) -> None:
    async with asyncio.timeout(LIMIT_S):
        while True:
            # Before looking: a change during the question would be missed.
            changed = asyncio.create_task(agent.platform.ledger.wait_change())
            if len(await agent.all()) >= count:
                changed.cancel()
                return
            await changed


async def test_what_is_due_is_started_skipped_or_replaces(agent: Agent) -> None:
    await agent.cron(UP)
    (deployment,) = agent.platform.ledger.active(TARGET).values()
    background, at = agent.platform.background, deployment.created_at
    due_at = datetime.fromisoformat(at)
    background.start_due(deployment, due_at)
    background.start_due(deployment, due_at)
    await _told(agent, 2)
    skipped, running = sorted(await agent.all(), key=lambda each: str(each["status"]))[::-1]
    assert (running["status"], running["dueAt"]) == ("running", at)
    assert (skipped["status"], skipped["message"]) == (
        "skipped",
        f"{running['id']} was still running",
    )
    (cron,) = (await agent.client.crons(HERE))["crons"]
    assert cron["last"] == running, "what runs is told, not what was skipped because of it"
    background.miss(deployment, [due_at, due_at])
    await _told(agent, 3)
    (missed,) = [each for each in await agent.all() if each["status"] == "missed"]
    assert missed["missed"] == 2
    assert missed["message"] == (
        f"it was due 2 times, first at {at[:19]}Z, and nobody was there to start it"
    )
    events = await agent.platform.ledger.journal.newest_events(TARGET, 100)
    ends = [event for event in events if event.type == "ExecutionEnded"]
    assert [event.data["execution"]["status"] for event in ends] == ["skipped", "missed"]


async def test_crons_status_and_watch_tell_of_the_last_and_the_next(agent: Agent) -> None:
    await agent.cron("exit 0", cron="0 3 * * *", time_zone="Europe/Berlin")
    await agent.works.deployed("exit 0", name="migrate", kind=ServiceKind.JOB)
    ended = await agent.ended(await agent.execute())
    (cron,) = (await agent.client.crons(HERE))["crons"]
    assert cron["schedule"] == {
        "cron": "0 3 * * *",
        "timeZone": "Europe/Berlin",
        "overlap": "skip",
        "deadlineMs": 10_000,
    }
    assert (cron["serviceName"], cron["last"], cron["running"]) == ("nightly", ended, 0)
    assert cron["nextAt"] > stamp()
    brief = {name: cron[name] for name in ("last", "running", "nextAt")}
    never = {"last": None, "running": 0, "nextAt": None}
    status = await agent.client.status(HERE)
    assert status["executions"] == {"nightly": brief, "migrate": never}
    inspected = await agent.client.inspect({**HERE, "service": "nightly"})
    assert inspected["executions"] == {"nightly": brief}
    assert inspected["deployments"][0]["schedule"] == cron["schedule"]
    async for update in agent.client.watch(HERE):
        services = update["services"]
        assert services["nightly"]["execution"] == brief
        assert services["migrate"]["execution"] == never
        break


async def test_who_watches_sees_an_execution_begin_and_end(agent: Agent) -> None:
    await agent.cron(UP)
    seen: list[tuple[str | None, int]] = []
    async with asyncio.timeout(LIMIT_S):
        async for update in agent.client.watch(HERE):
            brief = update.get("services", {}).get("nightly", {}).get("execution")
            if brief is None:
                continue
            last = brief["last"]
            seen.append((last["status"] if last else None, brief["running"]))
            if len(seen) == 1:
                begun = await agent.execute()
            elif last["status"] == "running":
                await agent.client.cancel_execution(begun["id"])
            else:
                break
    assert seen == [(None, 0), ("running", 1), ("cancelled", 0)]


async def test_what_is_taken_down_runs_no_more(agent: Agent) -> None:
    await agent.cron(UP)
    begun = await agent.execute()
    await agent.until_up(begun)
    async with asyncio.timeout(LIMIT_S):
        assert await agent.platform.runs.down(Down(TARGET)) == ["nightly"]
    ended = await agent.client.execution(begun["id"])
    assert (ended["status"], ended["message"]) == (
        "cancelled",
        "its service was taken down",
    )
    assert (await agent.client.crons(HERE))["crons"] == []


async def test_it_goes_on_without_its_agent_and_the_next_one_takes_it_up(
    home: Path, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    async with agent_inside(home) as (platform, client):
        agent = Agent(platform, client, tmp_path)
        await agent.cron(f"echo up; while ! test -e {go}; do sleep 0.05; done; echo done")
        begun = await agent.execute()
        await agent.until_up(begun)
    Home(home).agent_socket.unlink()
    async with agent_inside(home) as (platform, client):
        agent = Agent(platform, client, tmp_path)
        assert (await client.execution(begun["id"]))["status"] == ExecutionStatus.RUNNING
        go.touch()
        ended = await agent.ended(begun)
        assert (ended["status"], ended["exitCode"]) == ("succeeded", 0)
        assert await agent.lines(ended, stream="stdout") == ["up", "done"]
