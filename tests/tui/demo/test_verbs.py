"""In the demo there is always a next version to deploy, and a person's own change goes first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from core.config.project import load_project
from core.model import Trigger
from tui.demo.example import example
from tui.demo.verbs import DemoVerbs

if TYPE_CHECKING:
    from pathlib import Path

    from core.agent.client import Client


class Planning:
    """Plans as the agent does: what differs from what was deployed is deployed."""

    server = None

    def __init__(self, project: Path) -> None:
        self.project = project
        self.deployed = self.content()

    def content(self) -> list[bytes]:
        files = sorted(file for file in self.project.rglob("*") if file.is_file())
        return [file.read_bytes() for file in files]

    async def plan(self, body: dict[str, Any]) -> dict[str, Any]:
        is_same = self.content() == self.deployed
        is_left = body["trigger"] == Trigger.DEPLOY and is_same
        return {"services": [{"action": "leave" if is_left else "deploy"}], "warnings": []}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return example("multi-service").copy_to(tmp_path)


@pytest.fixture
def verbs(project: Path) -> DemoVerbs:
    client = cast("Client", Planning(project))
    target = {"project": "multi-service", "environment": "production"}
    return DemoVerbs(client, target, load_project(project))


def version(project: Path) -> str:
    return (project / "services" / "web" / "VERSION").read_text()


async def test_a_deploy_that_would_change_nothing_gets_a_next_version(
    verbs: DemoVerbs, project: Path
) -> None:
    found = await verbs.plan(Trigger.DEPLOY)
    assert [each["action"] for each in found["services"]] == ["deploy"]
    assert version(project) == "1.1.0\n"
    assert found["warnings"] == [
        "the demo has written version 1.1.0, so that there is something to deploy"
    ]


async def test_it_is_written_once_however_often_the_plan_is_looked_at(
    verbs: DemoVerbs, project: Path
) -> None:
    await verbs.plan(Trigger.DEPLOY)
    again = await verbs.plan(Trigger.DEPLOY)
    assert version(project) == "1.1.0\n"
    assert again["warnings"] == []


async def test_a_change_of_the_person_is_deployed_as_it_is(verbs: DemoVerbs, project: Path) -> None:
    (project / "services" / "web" / "index.html").write_text("mine")
    found = await verbs.plan(Trigger.DEPLOY)
    assert version(project) == "1.0.0\n"
    assert found["warnings"] == []


@pytest.mark.parametrize("trigger", [Trigger.REDEPLOY, Trigger.ROLLBACK])
async def test_other_runs_are_as_they_are(
    verbs: DemoVerbs, project: Path, trigger: Trigger
) -> None:
    await verbs.plan(trigger)
    assert version(project) == "1.0.0\n"
