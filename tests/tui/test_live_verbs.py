"""The verbs: the same bodies, checks and words as those of the commands."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any, cast

import pytest

from core.config.compose.options import ComposeOptions
from core.config.project import load_project
from core.errors import ConfigError, UsageError
from core.model import Trigger
from tui.live_verbs import LiveVerbs
from tui.refused_verbs import RefusedVerbs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from core.agent.client import Client
    from tui.verbs import Verbs

Json = dict[str, Any]
TARGET = {"project": "shop", "environment": "staging"}


class Asked:
    """Takes the place of the client, and notes what it is asked."""

    server = None

    def __init__(self) -> None:
        self.bodies: list[Json] = []
        self.queries: list[Mapping[str, Any]] = []
        self.known: list[Json] = []
        self.cancelled: list[str] = []

    async def plan(self, body: Json) -> Json:
        self.bodies.append(body)
        return {"services": []}

    async def submit(self, body: Json) -> Json:
        self.bodies.append(body)
        return {"id": "drn_a"}

    async def cancel(self, run_id: str) -> Json:
        self.cancelled.append(run_id)
        return {"id": run_id, "status": "running"}

    async def run_result(self, run_id: str) -> Json:
        return {"run": {"id": run_id, "status": "failed"}, "deployments": []}

    async def environments(self) -> Json:
        return {"environments": self.known}

    async def runs(self, query: Mapping[str, Any]) -> Json:
        self.queries.append(query)
        return {"runs": [{"id": "drn_a"}]}

    async def history(self, query: Mapping[str, Any]) -> Json:
        self.queries.append(query)
        return {"deployments": [{"id": "dep_a"}]}

    async def inspect(self, query: Mapping[str, Any]) -> Json:
        self.queries.append(query)
        return {"deployments": [{"id": query["deployment"]}]}

    async def networks(self, query: Mapping[str, Any]) -> Json:
        self.queries.append(query)
        return {"networks": []}

    async def shell(self, query: Mapping[str, Any]) -> Json:
        self.queries.append(query)
        return {"argv": ["/bin/sh"]}

    async def hold(self, run_id: str) -> Json:
        self.queries.append({"hold": run_id})
        return {}

    async def resume(self, run_id: str) -> Json:
        self.queries.append({"resume": run_id})
        return {}

    async def variables(self, query: Mapping[str, Any]) -> Json:
        def listed(name: str, source: str, sensitivity: str = "plain") -> Json:
            return {"keyName": name, "sourceType": source, "sensitivity": sensitivity}

        if query.get("service"):
            return {"variables": [listed("A", "inherited"), listed("B", "direct")]}
        found = [listed("A", "direct"), listed("S", "direct", "sensitive")]
        return {"variables": found, "servicesWithVariables": ["web"]}

    async def variable(self, key: str, query: Mapping[str, Any]) -> Json:
        self.queries.append({"variable": key, **query})
        return {"variable": {"keyName": key, "value": f"of {query.get('service')}"}}

    async def set_variable(self, key: str, body: Json) -> None:
        self.bodies.append({"key": key, **body})

    async def remove_variable(self, key: str, query: Mapping[str, Any]) -> None:
        self.queries.append({"key": key, **query})

    async def import_variables(self, body: Json) -> None:
        self.bodies.append(body)

    async def executions(self, query: Mapping[str, Any]) -> Json:
        self.queries.append(query)
        return {"executions": [{"id": "exe_a"}]}

    async def crons(self, query: Mapping[str, Any]) -> Json:
        self.queries.append(query)
        return {"crons": [{"serviceName": "backup"}]}

    async def execute(self, body: Json) -> Json:
        self.bodies.append(body)
        return {"id": "exe_b"}

    async def cancel_execution(self, execution_id: str) -> Json:
        self.cancelled.append(execution_id)
        return {"id": execution_id}

    async def events(self, after: int, run_id: str) -> AsyncIterator[Json]:
        """A run that goes on: the events so far come at once, the rest never."""
        assert after == 0
        await asyncio.sleep(0.01)
        for seq in range(3):
            yield {"seq": seq, "deploymentRunId": run_id}
        await asyncio.Event().wait()


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "compartment.yml").write_text("name: shop\nservices:\n  web: .\n  api: .\n")
    return tmp_path


def verbs_of(asked: Asked, folder: Path | None) -> LiveVerbs:
    project = load_project(folder) if folder else None
    return LiveVerbs(cast("Client", asked), TARGET, project, "process")


async def test_a_deploy_has_the_body_of_the_command(asked: Asked, folder: Path) -> None:
    await verbs_of(asked, folder).submit(Trigger.REDEPLOY, ["api"])
    (body,) = asked.bodies
    assert body.pop("environ") == dict(os.environ)
    assert body == {
        **TARGET,
        "trigger": "redeploy",
        "services": ["api"],
        "root": str(folder),
        "engine": "process",
        "label": None,
        "useCache": True,
        "waitS": None,
    }


async def test_a_rollback_needs_no_files(asked: Asked) -> None:
    await verbs_of(asked, None).plan(Trigger.ROLLBACK, ["web"], "dep_b")
    assert asked.bodies == [
        {**TARGET, "trigger": "rollback", "services": ["web"], "to": "dep_b", "waitS": None}
    ]


async def test_a_promotion_goes_from_one_environment_to_another(asked: Asked) -> None:
    verbs = verbs_of(asked, None)
    await verbs.promotion("staging", "production")
    assert (await verbs.promote("qa", "staging"))["id"] == "drn_a"
    places = [(body["sourceEnvironment"], body["environment"]) for body in asked.bodies]
    assert places == [("staging", "production"), ("qa", "staging")]
    assert {(body["project"], body["trigger"]) for body in asked.bodies} == {("shop", "promote")}


async def test_a_run_is_held_and_let_go_on(asked: Asked) -> None:
    verbs = verbs_of(asked, None)
    await verbs.hold("drn_a")
    await verbs.resume("drn_a")
    assert asked.queries == [{"hold": "drn_a"}, {"resume": "drn_a"}]


async def test_variables_come_once_each_and_hidden_ones_are_not_asked_for(asked: Asked) -> None:
    found = await verbs_of(asked, None).variables.found()
    told = [(each["keyName"], each["value"], each.get("valueHidden", False)) for each in found]
    assert told == [("A", "of None", False), ("S", None, True), ("B", "of web", False)]
    assert [query["variable"] for query in asked.queries] == ["A", "B"]


async def test_variables_are_set_for_whom_they_are_meant(asked: Asked) -> None:
    variables = verbs_of(asked, None).variables
    await variables.set("A", "1\n", "web", is_sensitive=True)
    await variables.take_in({"B": "2"}, None, is_sensitive=False)
    await variables.remove("A", "web")
    scope = {**TARGET, "service": "web"}
    assert asked.bodies == [
        {"key": "A", **scope, "value": "1\n", "sensitive": True},
        {**TARGET, "service": None, "variables": {"B": "2"}, "sensitive": False, "replace": False},
    ]
    assert asked.queries == [{"key": "A", **scope}]


async def test_jobs_are_run_and_ended(asked: Asked) -> None:
    executions = verbs_of(asked, None).executions
    assert [each["id"] for each in await executions.recent("migrate", 3)] == ["exe_a"]
    assert [each["serviceName"] for each in await executions.crons()] == ["backup"]
    assert (await executions.start("migrate"))["id"] == "exe_b"
    await executions.cancel("exe_b")
    assert asked.queries == [{**TARGET, "service": "migrate", "limit": 3}, TARGET]
    assert asked.bodies == [{**TARGET, "service": "migrate"}]
    assert asked.cancelled == ["exe_b"]


async def test_files_are_read_again_each_time(asked: Asked, folder: Path) -> None:
    verbs = verbs_of(asked, folder)
    file = folder / "compartment.yml"
    file.write_text("name: shop\nservices:\n  web: .\n  web2: 5\n")
    with pytest.raises(ConfigError) as caught:
        await verbs.plan(Trigger.DEPLOY)
    assert (caught.value.problems[0].file, caught.value.problems[0].line) == ("compartment.yml", 4)
    file.write_text("name: shop\nservices:\n  web3: .\n")
    await verbs.plan(Trigger.DEPLOY, ["web3"])
    with pytest.raises(UsageError, match="there is no service web in shop"):
        await verbs.plan(Trigger.DEPLOY, ["web"])
    assert verbs.project is not None
    assert set(verbs.project.services) == {"web", "api"}


@pytest.mark.parametrize("is_here", [True, False])
async def test_compose_files_are_named(asked: Asked, tmp_path: Path, *, is_here: bool) -> None:
    file = tmp_path / "prod.yaml"
    file.write_text(
        "name: shop\nservices: {web: {image: nginx}, tool: {image: a, profiles: [x]}}\n"
    )
    options = ComposeOptions(files=(str(file),), profiles=("x",))
    project = load_project(tmp_path, options)
    named = {"files": [str(file)], "envFiles": [], "profiles": ["x"]}
    asked.known = [{**TARGET, "root": str(tmp_path), **named}]
    verbs = LiveVerbs(cast("Client", asked), TARGET, project if is_here else None, "auto", options)
    await verbs.submit(Trigger.DEPLOY)
    (body,) = asked.bodies
    assert body["root"] == str(tmp_path)
    assert {key: body[key] for key in named} == named


async def test_a_plan_has_what_is_worth_knowing_of_the_files(asked: Asked, tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("name: shop\nservices: {web: {image: 'nginx:latest'}}\n")
    found = await verbs_of(asked, tmp_path).plan(Trigger.DEPLOY)
    assert any("latest" in note["message"] for note in found["notes"])
    assert "compose.yaml" in found["notes"][0]["file"]


async def test_without_files_here_it_deploys_from_where_it_was_deployed(
    asked: Asked, folder: Path
) -> None:
    verbs = verbs_of(asked, None)
    asked.known = [
        {"project": "shop", "environment": "production", "root": "/elsewhere"},
        {**TARGET, "root": str(folder), "files": [], "envFiles": [], "profiles": []},
    ]
    await verbs.submit(Trigger.DEPLOY)
    assert asked.bodies[0]["root"] == str(folder)
    assert asked.bodies[0]["environment"] == "staging"


@pytest.mark.parametrize("known", [[], [{**TARGET, "root": None}]])
async def test_files_that_nobody_knows_of(asked: Asked, known: list[Json]) -> None:
    asked.known = known
    with pytest.raises(UsageError, match="not known where the files of shop are") as caught:
        await verbs_of(asked, None).plan(Trigger.DEPLOY)
    assert caught.value.hint == "name their folder: compartment-tui FOLDER --project shop"
    assert asked.bodies == []


async def test_a_cancel_returns_the_run_as_it_ended(asked: Asked) -> None:
    found = await verbs_of(asked, None).cancel("drn_a")
    assert (asked.cancelled, found["status"]) == (["drn_a"], "failed")


async def test_the_events_of_a_run_that_goes_on_are_those_so_far(asked: Asked) -> None:
    found = await verbs_of(asked, None).run_events("drn_a")
    assert [each["seq"] for each in found] == [0, 1, 2]


async def test_reads_are_about_this_environment(asked: Asked) -> None:
    verbs = verbs_of(asked, None)
    assert await verbs.runs(5) == [{"id": "drn_a"}]
    assert await verbs.deployments("web", 7) == [{"id": "dep_a"}]
    assert await verbs.inspect("dep_z") == {"id": "dep_z"}
    assert await verbs.shell("web") == {"argv": ["/bin/sh"]}
    assert await verbs.networks() == {"networks": []}
    assert asked.queries == [
        {**TARGET, "limit": 5},
        {**TARGET, "service": "web", "limit": 7},
        {**TARGET, "deployment": "dep_z"},
        {**TARGET, "service": "web"},
        TARGET,
    ]


async def test_a_recording_refuses_every_verb() -> None:
    verbs: Verbs = RefusedVerbs()
    assert verbs.project is None
    for refused in (
        verbs.plan(Trigger.DEPLOY),
        verbs.submit(Trigger.ROLLBACK, ["web"], to="dep_a"),
        verbs.cancel("drn_a"),
        verbs.runs(limit=5),
        verbs.run_result("drn_a"),
        verbs.run_events("drn_a"),
        verbs.deployments("web"),
        verbs.inspect("dep_a"),
        verbs.environments(),
        verbs.networks(),
        verbs.shell("web"),
    ):
        with pytest.raises(UsageError, match="this is a recording"):
            await refused
