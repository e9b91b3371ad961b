"""Environments side by side: a change in one of them moves nothing in the other."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import CompartmentError, Conflict, NotFound, TargetBusy, UsageError
from tests.e2e.side_by_side import Environment
from tests.load.load import Load
from tests.load.plan import NO_LOAD

if TYPE_CHECKING:
    from tests.e2e.house import House, Json, LabProject
    from tests.figures import FiguresRecorder

LIGHT = replace(NO_LOAD, fresh_per_s=35, keep_alive_per_s=15, keep_alive_clients=3)
"""On each of two environments: 100 requests a second in all."""

WHO = {"version": """'"$(cat VERSION) in $COMPARTMENT_ENVIRONMENT, $FLAVOUR"'"""}
"""What the lab puts into the head of each reply: the shell fills it in, from its variables."""

SHORT = {"type": "http", "path": "/up", "timeoutMs": 1500}


@pytest.fixture
def both(
    running: House, lab: LabProject, request: pytest.FixtureRequest
) -> tuple[Environment, Environment]:
    """Staging and production of one project, not deployed yet."""
    is_on_docker = running.engine == "docker"
    socket = request.getfixturevalue("docker_socket") if is_on_docker else None
    staging, production = (
        Environment(running, lab, name, socket) for name in ("staging", "production")
    )
    return staging, production


async def put_up(staging: Environment, production: Environment) -> None:
    """Version 1 in both, each with variables of its own."""
    staging.project.write(web={"lab": WHO}, backoffice={"kind": "api", "lab": WHO})
    for each, flavour in ((staging, "sweet"), (production, "salty")):
        await each.set(FLAVOUR=flavour)
        await each.deployed()


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(120)
async def test_nothing_moves_in_the_other_one(
    both: tuple[Environment, Environment], counts: FiguresRecorder
) -> None:
    staging, production = both
    await put_up(staging, production)
    begun = await production.look()
    # There is something of each that could move.
    assert all(begun[part] for part in begun if part != "engine" or production.docker_socket)
    async with (
        Load(await staging.target(), LIGHT) as on_staging,
        Load(await production.target(), LIGHT) as on_production,
    ):
        staging.project.bump()
        await staging.deployed()
        assert await production.look() == begun

        tried = await staging.look()
        promoted = await production.promoted(staging)
        assert await staging.look() == tried

        await production.set(FLAVOUR="bitter")
        await production.deployed("redeploy")
        assert await staging.look() == tried

        settled = await production.look()
        await staging.deployed("rollback")
        assert await production.look() == settled

        back = await staging.look()
        await production.deployed("rollback")
        assert await staging.look() == back
        await on_staging.has_sent(on_staging.report().sent + 30)
        await on_production.has_sent(on_production.report().sent + 30)
    on_both = [on_staging.report(), on_production.report()]
    lost = [str(loss) for report in on_both for loss in report.lost]
    counts("requests to two environments", sum(report.sent for report in on_both), "requests")
    counts("requests lost meanwhile", len(lost), "requests", 0)
    assert lost == []
    for report in on_both:
        assert staging.project.access_log.not_exactly_once(report.ids) == {}
    assert list(on_staging.report().versions) == ["v1 in staging, sweet", "v2 in staging, sweet"]
    assert list(on_production.report().versions) == [
        "v1 in production, salty",
        "v2 in production, salty",
        "v2 in production, bitter",
    ]
    # The rollback took the variables of the promote back, and its artifact stayed.
    assert (await production.reply())["version"] == "v2 in production, salty"
    assert {each["id"] for each in (await production.active()).values()} == {
        each["id"] for each in promoted["deployments"]
    }


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(180)
async def test_what_is_promoted_is_not_built(both: tuple[Environment, Environment]) -> None:
    staging, production = both
    running, lab = staging.running, staging.project
    lab.write(web={"lab": WHO, "build": {"command": "echo now it is built"}})
    await staging.set(FLAVOUR="sweet", ONLY_STAGING="1")
    await staging.set("web", FLAVOUR="sour")
    await production.set(FLAVOUR="salty")
    await staging.deployed()
    # What is in the folder now is not what is promoted.
    lab.bump()
    lab.write(web={"build": {"command": "exit 1"}})
    (promoted,) = (await production.promoted(staging, label="friday"))["deployments"]

    source, found = (await staging.inspected())["web"], (await production.inspected())["web"]
    assert found["artifactId"] == source["artifactId"]
    assert found["promotedFrom"] == source["id"]
    assert (found["build"], found["run"], found["readiness"], found["routes"]) == (
        source["build"], source["run"], source["readiness"], source["routes"],
    )  # fmt: skip
    assert found["routeHost"] == "lab.localhost"
    assert source["routeHost"] == "web-lab-staging.localhost"
    assert found["label"] == "friday"
    query = {**production.query, "deployment": promoted["id"], "tail": 1000}
    said = [line["message"] async for line in running.client.logs(query)]
    assert f"nothing to build: promoted from {source['id']}" in said
    assert "now it is built" not in said
    assert (await production.reply())["version"] == "v1 in production, salty"
    assert (await staging.reply())["version"] == "v1 in staging, sour"

    # What is the same already is left alone.
    again = await production.promoted(staging)
    assert again["deployments"] == []
    assert (await production.active())["web"]["id"] == promoted["id"]


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(120)
async def test_a_promote_that_fails_leaves_what_is_live(
    both: tuple[Environment, Environment],
) -> None:
    """What is well in staging is not with the variables of production."""
    staging, production = both
    running, lab = staging.running, staging.project
    lab.write(web={"lab": WHO, "readiness": SHORT}, backoffice={"kind": "api", "lab": WHO})
    await staging.deployed()
    await production.promoted(staging)
    lab.bump()
    await staging.deployed()
    await production.set("web", LAB_NEVER_READY="1")
    before = (await staging.look(), await production.active(), await production.reply())
    async with Load(await production.target(), LIGHT) as load:
        failed = await running.run(
            lab, "promote", environment="production", sourceEnvironment="staging"
        )
    assert failed["run"]["status"] == "failed"
    reasons = {each["serviceName"]: each["failureMessage"] for each in failed["deployments"]}
    assert "503" in reasons["web"]
    assert reasons["backoffice"].startswith("not switched: web:")
    assert [str(loss) for loss in load.report().lost] == []
    after = (await staging.look(), await production.active(), await production.reply())
    assert without_time(after) == without_time(before)
    assert len(running.instance_names()) == 4


def without_time(found: tuple[Json, dict[str, Json], Json]) -> Any:
    look, active, said = found
    return look, {name: each["id"] for name, each in active.items()}, said


async def test_a_service_alone_and_an_environment_that_is_new(
    both: tuple[Environment, Environment],
) -> None:
    staging, production = both
    client = staging.running.client
    staging.project.write(web={"lab": WHO}, backoffice={"kind": "api", "lab": WHO})
    await staging.deployed()
    known = [each["environment"] for each in (await client.environments())["environments"]]
    assert known == ["staging"]

    # It may have variables before there is anything else of it.
    await production.set(FLAVOUR="salty")
    await production.promoted(staging, services=["backoffice"])
    assert list(await production.active()) == ["backoffice"]
    environments = (await client.environments())["environments"]
    assert [(each["environment"], each["root"]) for each in environments] == [
        ("production", str(staging.project.root)),
        ("staging", str(staging.project.root)),
    ]
    plan = await client.plan(
        {**production.query, "trigger": "promote", "sourceEnvironment": "staging"}
    )
    assert plan["sourceEnvironment"] == "staging"
    assert [(each["serviceName"], each["action"]) for each in plan["services"]] == [
        ("backoffice", "leave"),
        ("web", "promote"),
    ]
    (web,) = (await production.promoted(staging))["deployments"]
    assert web["serviceName"] == "web"
    assert (await production.reply())["version"] == "v1 in production, salty"

    # From the project's folder it goes on as if it had been deployed there.
    staging.project.bump()
    await production.deployed()
    assert (await production.reply())["version"] == "v2 in production, salty"
    assert (await staging.reply())["version"].startswith("v1 in staging")


REFUSALS: dict[str, tuple[dict[str, Any], type[CompartmentError], str, str, str]] = {
    "the same environment": (
        {"environment": "staging", "sourceEnvironment": "staging"},
        Conflict, "source_and_target_environment_match", "cannot be promoted to itself", "--from",
    ),
    "an unknown environment": (
        {"sourceEnvironment": "stagin"},
        NotFound, "environment_not_found", "no environment stagin", "it has: empty, staging",
    ),
    "nothing active": (
        {"sourceEnvironment": "empty"},
        NotFound, "active_deployment_not_found", "nothing is active in lab/empty",
        "deploy --env empty",
    ),
    "an unknown service": (
        {"sourceEnvironment": "staging", "services": ["web", "wbe"]},
        NotFound, "active_deployment_not_found", "wbe has no active deployment", "active: web",
    ),
    "no source": (
        {}, UsageError, "usage", "needs the environment that it takes from", "",
    ),
}  # fmt: skip


async def test_what_cannot_be_promoted_is_refused_before_anything_changes(
    both: tuple[Environment, Environment],
) -> None:
    staging, production = both
    running, lab = staging.running, staging.project
    await staging.deployed()
    lab.write(web={"lab": {"exit_at_start": 3}})
    assert (await running.run(lab, environment="empty"))["run"]["status"] == "failed"
    lab.write(web={})
    before = await staging.look()
    for body, kind, code, message, hint in REFUSALS.values():
        asked = {"environment": "production", **body}
        plan = {"project": "lab", "trigger": "promote", **asked}
        for ask in (running.submit(lab, "promote", **asked), running.client.plan(plan)):
            with pytest.raises(kind, match=message) as refused:
                await ask
            assert refused.value.code == code
            assert hint in (refused.value.hint or "")
    known = (await running.client.environments())["environments"]
    assert [each["environment"] for each in known] == ["empty", "staging"]
    assert (await running.client.runs({**production.query, "limit": 5}))["runs"] == []

    # The artifact is gone.
    (running.home.releases / f"{before['inspected'][0]['artifactId']}.json").unlink()
    with pytest.raises(Conflict, match="is gone, it cannot be promoted") as gone:
        await production.promoted(staging)
    assert gone.value.code == "deployment_image_not_available"
    assert gone.value.hint == "deploy web to staging again"
    assert (await staging.reply())["version"] == "v1"


async def test_an_environment_has_one_run_at_a_time_and_others_go_on(
    both: tuple[Environment, Environment],
) -> None:
    staging, production = both
    running, lab = staging.running, staging.project
    lab.write(web={"lab": WHO})
    await staging.deployed()
    ahead = await running.submit(lab, environment="production")
    await running.client.hold(ahead)
    await running.until(ahead, "ReadinessPassed")
    with pytest.raises(TargetBusy, match=ahead) as busy:
        await production.promoted(staging, waitS=0)
    assert busy.value.code == "deployment_target_busy"
    assert busy.value.hint
    # What waits in production holds up nobody in staging, not even to be promoted elsewhere.
    lab.bump()
    await staging.deployed()
    canary = Environment(running, lab, "canary")
    await canary.promoted(staging)
    assert (await canary.reply())["version"].startswith("v2 in canary")
    waiting = await running.submit(
        lab, "promote", environment="production", sourceEnvironment="staging"
    )
    await running.client.resume(ahead)
    assert (await running.end(ahead))["run"]["status"] == "succeeded"
    assert (await running.end(waiting))["run"]["status"] == "succeeded"
    assert (await production.reply())["version"].startswith("v2 in production")
