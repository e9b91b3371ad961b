"""What turns out to be worse after its switch is rolled back by itself, and nothing else is."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.clients import get
from tests.e2e.house import LabProject
from tests.load.outcome import RequestLost

if TYPE_CHECKING:
    from tests.e2e.house import House, Json
    from tests.figures import FiguresRecorder
    from tests.load.plan import Target

pytestmark = pytest.mark.timeout(120)

MOODY = Path(__file__).with_name("moody")
PATIENCE_S = 60.0
GOAL_S = 2.0

PATIENT = {"type": "http", "path": "/healthz", "intervalMs": 5000}
"""A check that a machine under load does not fail by being slow."""
QUICK = {"type": "http", "path": "/healthz", "intervalMs": 200}


@dataclass
class Moody:
    """A project whose services do as they are told, and what is told of it."""

    running: House
    lab: LabProject

    def write(self, name: str, **fields: object) -> None:
        run = {"command": "exec python3 server.py"}
        self.lab.write(**{name: {"run": run, "path": "app", **fields}})

    async def deployed(self) -> dict[str, str]:
        """A deploy of a new version; the ids that are active then."""
        self.lab.bump()
        await self.running.deployed(self.lab)
        return await self.active()

    async def active(self) -> dict[str, str]:
        found = await self.running.active(self.lab)
        return {name: each["id"] for name, (each,) in found.items()}

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
    moody.write("bad", readiness=QUICK, autoRollback={"windowMs": 3_600_000})
    moody.write("other", readiness=PATIENT)
    moody.write("apart", readiness=PATIENT)
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
        reply = await get(bad, "/mood/500/0")
        assert reply.status == 200
        rollback = await moody.told("AutomaticRollback", "bad")
        run = await moody.ended(rollback["deploymentRunId"])
        switched = await moody.running.until(run["id"], "RoutesSwitched")
        is_over.set()
    at = datetime.fromisoformat(switched["timestamp"]).timestamp()
    figures("unhealthy to rolled back", at - reply.ended_at, "s", GOAL_S)
    assert (lost, asked > 0) == (0, True)

    assert (run["status"], run["trigger"]) == ("succeeded", "rollback"), run["failureMessage"]
    assert run["because"].startswith(
        f"bad of {second['bad']}: it is unhealthy: GET /healthz -> 500"
    )
    assert (
        rollback["undoes"]
        == (await moody.running.client.inspect({"project": "moody", "deployment": second["bad"]}))[
            "deployments"
        ][0]["deploymentRunId"]
    )
    assert await moody.active() == first
    shown = await moody.running.status(moody.lab)
    # What was brought back is not watched: nothing goes to and fro.
    assert {each["watchedUntil"] for each in shown.values()} == {None}
    assert shown["bad"]["returnedBecause"] == shown["other"]["returnedBecause"] == run["because"]
    assert shown["apart"]["returnedBecause"] is None
    history = await moody.running.client.history({"project": "moody", "limit": 20})
    left = {each["id"]: each for each in history["deployments"]}[second["bad"]]
    assert (left["promotionStage"], left["failureMessage"]) == ("rolled_back", run["because"])
