"""What turns out to be worse after its switch is rolled back by itself, and nothing else is."""

from __future__ import annotations

import asyncio
import shutil
import time
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.clients import get
from tests.e2e.house import LabProject, kill
from tests.load.outcome import RequestLost

if TYPE_CHECKING:
    from tests.e2e.house import House, Json
    from tests.figures import FiguresRecorder
    from tests.load.plan import Target

pytestmark = pytest.mark.timeout(120)

MOODY = Path(__file__).with_name("moody")
PATIENCE_S = 60.0
GOAL_S = 2.0

CHECK = {"type": "http", "path": "/healthz", "intervalMs": 300_000}
"""What is live is hardly ever checked: on a machine under load a check may fail by being slow."""
ERRORS = {"windowMs": 3_600_000, "errorRate": 0.5, "minRequests": 20}


@dataclass
class Moody:
    """A project whose services do as they are told, and what is told of it."""

    running: House
    lab: LabProject

    def write(self, name: str, **fields: object) -> None:
        run = {"command": "exec python3 server.py", "restart": {"policy": "no"}}
        self.lab.write(**{name: {"run": run, "path": "app", "readiness": CHECK, **fields}})

    async def deployed(self) -> dict[str, str]:
        """A deploy of a new version; the ids that are active then."""
        self.lab.bump()
        await self.running.deployed(self.lab)
        return await self.active()

    async def active(self) -> dict[str, str]:
        found = await self.running.active(self.lab)
        return {name: each["id"] for name, (each,) in found.items()}

    async def plan(self) -> Json:
        """What the plan of a deploy says of the one service's automatic rollback."""
        body = {"project": "moody", "trigger": "deploy", "root": str(self.lab.root)}
        body |= {"engine": self.running.engine}
        (planned,) = (await self.running.client.plan(body))["services"]
        return dict(planned["autoRollback"])

    async def target(self, name: str) -> Target:
        shared = await self.running.target()
        return replace(shared, host=f"{name}-moody.localhost")

    async def told(self, type_: str, service: str, after: int = 0) -> Json:
        """The first event of a type that is of a service."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                async with aclosing(self.running.client.events(after)) as events:  # type: ignore[type-var]
                    async for event in events:
                        after = event["seq"]
                        if event["type"] == type_ and event["serviceName"] == service:
                            return event

    async def ended(self, run_id: str) -> Json:
        result = await self.running.end(run_id)
        return dict(result["run"])


@pytest.fixture
def moody(running: House, tmp_path: Path) -> Moody:
    root = tmp_path / "moody"
    shutil.copytree(MOODY, root / "app", ignore=shutil.ignore_patterns("__pycache__"))
    return Moody(running, LabProject(root, "moody"))


async def ask(target: Target, path: str) -> int:
    """The status of a reply; 0 where there was none."""
    try:
        return (await get(target, path)).status
    except RequestLost:
        return 0


async def test_what_turns_unhealthy_is_rolled_back_with_its_run(
    moody: Moody, figures: FiguresRecorder
) -> None:
    moody.write("bad", autoRollback={"windowMs": 3_600_000})
    moody.write("other")
    moody.write("apart")
    first = await moody.deployed()
    assert (await moody.running.status(moody.lab))["bad"]["watchedUntil"] is None
    # What this run replaces goes back together; what it does not is left as it is.
    moody.lab.bump()
    await moody.running.deployed(moody.lab, services=["bad", "other"])
    second = await moody.active()
    assert second["apart"] == first["apart"]
    shown = await moody.running.status(moody.lab)
    assert shown["bad"]["watchedUntil"] > shown["bad"]["completedAt"]
    assert shown["other"]["watchedUntil"] is None

    bad, other = await moody.target("bad"), await moody.target("other")
    lost, asked, is_over = 0, 0, asyncio.Event()

    async def load() -> None:
        nonlocal lost, asked
        while not is_over.is_set():
            lost += await ask(other, "/") != 200
            asked += 1

    async with asyncio.TaskGroup() as group:
        group.create_task(load())
        crashed_at = time.time()
        await ask(bad, "/crash")
        rollback = await moody.told("AutomaticRollback", "bad")
        run = await moody.ended(rollback["deploymentRunId"])
        switched = await moody.running.until(run["id"], "RoutesSwitched")
        is_over.set()
    at = datetime.fromisoformat(switched["timestamp"]).timestamp()
    figures("a crash to the rollback's switch", at - crashed_at, "s", GOAL_S)
    assert (lost, asked > 0) == (0, True)

    assert (run["status"], run["trigger"]) == ("succeeded", "rollback"), run["failureMessage"]
    assert run["because"] == (
        f"bad of {second['bad']}: it is unhealthy: exited with code 3 and is not restarted"
    )
    assert rollback["undoes"] == shown["bad"]["deploymentRunId"]
    assert await moody.active() == first
    shown = await moody.running.status(moody.lab)
    # What was brought back is not watched: nothing goes to and fro.
    assert {each["watchedUntil"] for each in shown.values()} == {None}
    assert shown["bad"]["returnedBecause"] == shown["other"]["returnedBecause"] == run["because"]
    assert shown["apart"]["returnedBecause"] is None
    history = await moody.running.client.history({"project": "moody", "limit": 20})
    left = {each["id"]: each for each in history["deployments"]}[second["bad"]]
    assert (left["promotionStage"], left["failureMessage"]) == ("rolled_back", run["because"])


async def test_too_many_errors_and_too_few_replies_to_tell(moody: Moody) -> None:
    moody.write("rate", autoRollback=ERRORS | {"onUnhealthy": False})
    planned = await moody.plan()
    assert planned["isWatched"] is False
    assert planned["because"] == "nothing is live that it could go back to"
    first = await moody.deployed()
    moody.lab.bump()
    planned = await moody.plan()
    assert (planned["isWatched"], planned["errorRate"], planned["minRequests"]) == (True, 0.5, 20)
    second = await moody.deployed()
    target = await moody.target("rate")
    for _ in range(19):
        assert await ask(target, "/status/500") == 500
    assert await ask(target, "/status/503") == 503
    rollback = await moody.told("AutomaticRollback", "rate")
    # With one reply less it was not judged, however bad they all were.
    figures = {"requests": 20, "errors": 20, "errorRate": 1.0, "errorRateLimit": 0.5}
    assert rollback.items() >= figures.items()
    run = await moody.ended(rollback["deploymentRunId"])
    assert run["because"] == (
        f"rate of {second['rate']}: 20 of its 20 replies were 5xx: 100 %, and the limit is 50 %"
    )
    assert await moody.active() == first


async def test_it_outlives_the_agent_and_ends_when_somebody_takes_over(moody: Moody) -> None:
    moody.write("bad", autoRollback=ERRORS)
    moody.write("other")
    first = await moody.deployed()
    await moody.deployed()
    before = (await moody.running.status(moody.lab))["bad"]["watchedUntil"]
    kill(await moody.running.agent_pid())
    await moody.running.client.attach()
    assert (await moody.running.status(moody.lab))["bad"]["watchedUntil"] == before
    bad = await moody.target("bad")
    # Health is doubted for a while: after a reboot everything would be on its way up.
    for _ in range(20):
        assert await ask(bad, "/status/500") == 500
    rollback = await moody.told("AutomaticRollback", "bad")
    assert (await moody.ended(rollback["deploymentRunId"]))["status"] == "succeeded"
    assert await moody.active() == first

    third = await moody.deployed()
    assert (await moody.running.status(moody.lab))["bad"]["watchedUntil"]
    nothing = await moody.running.deployed(moody.lab)
    assert nothing["deployments"] == []
    assert (await moody.running.status(moody.lab))["bad"]["watchedUntil"]
    run_id = await moody.running.submit(moody.lab, "redeploy", services=["other"])
    # From the moment on in which it is accepted.
    assert (await moody.running.status(moody.lab))["bad"]["watchedUntil"] is None
    await moody.running.end(run_id)
    await ask(bad, "/crash")
    await moody.told("HealthChanged", "bad", after=rollback["seq"])
    await moody.running.deployed(moody.lab, "redeploy", services=["other"])
    assert (await moody.active())["bad"] == third["bad"]


async def test_what_proves_itself_stays_and_what_cannot_go_back_says_so(moody: Moody) -> None:
    moody.write("bad", autoRollback={"windowMs": 1_000})
    first = await moody.deployed()
    second = await moody.deployed()
    over = await moody.told("WatchEnded", "bad")
    assert (over["deploymentId"], over["because"]) == (
        second["bad"], "the 1 s after its switch are over",
    )  # fmt: skip
    shown = (await moody.running.status(moody.lab))["bad"]
    assert (shown["id"], shown["watchedUntil"]) == (second["bad"], None)

    moody.write("bad", autoRollback={"windowMs": 3_600_000})
    third = await moody.deployed()
    found = await moody.running.client.inspect({"project": "moody", "deployment": second["bad"]})
    manifest = f"{found['deployments'][0]['artifactId']}.json"
    (moody.running.home.releases / manifest).unlink()
    await ask(await moody.target("bad"), "/crash")
    ended = await moody.told("WatchEnded", "bad", after=over["seq"])
    assert ended["because"].startswith("it is unhealthy: ")
    assert "but it cannot be rolled back: the artifact of" in ended["because"]
    assert await moody.active() == third != first
