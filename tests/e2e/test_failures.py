"""Proof 3 and 4: a candidate that fails leaves the live one alone, and says why; none switches."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.clients import get
from tests.load.load import Load

if TYPE_CHECKING:
    from tests.e2e.house import House, Json, LabProject
    from tests.figures import FiguresRecorder

pytestmark = pytest.mark.engines("process", "docker")

SHORT = {"type": "http", "path": "/up", "timeoutMs": 1500}

FAILURES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "never ready": ({"never_ready": 1}, ["did not get ready", "/up", "503", "tries"]),
    "redirects": ({"ready_status": 301}, ["301", "likely: it redirects"]),
    "forbids": ({"ready_status": 403}, ["403", "likely: it forbids"]),
    "another port": ({"listen_port": 19_876}, ["it listens on port 19876", "$PORT"]),
    "another address": ({"bind": "127.0.0.2"}, ["127.0.0.2", "only"]),
    "exits at once": ({"exit_at_start": 3}, ["exited with code 3", "its last lines:"]),
    "ends before anybody looks": ({}, ["exited with code 4", "gone at once"]),
    "crashes while checked": (
        {"never_ready": 1, "crash_after_ms": 400},
        ["while it was being checked", "last check: GET http", "[stderr]"],
    ),
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", FAILURES)
async def test_failed_candidate(running: House, lab: LabProject, kind: str) -> None:
    misbehaviour, expected = FAILURES[kind]
    await running.deployed(lab)
    (before,) = (await running.active(lab))["web"]
    lab.bump()
    lab.write(web={"lab": misbehaviour, "readiness": SHORT})
    if not misbehaviour:
        lab.write(web={"run": {"command": "echo gone at once; exit 4"}, "readiness": SHORT})
    async with Load(await running.target()) as load:
        result = await running.run(lab)
    assert result["run"]["status"] == "failed"
    (failed,) = result["deployments"]
    assert failed["status"] == "failed"
    assert failed["health"] == "unhealthy"
    assert failed["promotionStage"] in ("starting_candidate", "checking_readiness")
    for text in expected:
        assert text in failed["failureMessage"]
    assert load.report().lost == ()
    assert set(load.report().versions) == {"v1"}
    (after,) = (await running.active(lab))["web"]
    assert after["id"] == before["id"]
    assert after["health"] == "healthy"
    assert running.instance_names() == {f"{before['id']}.1"}


async def test_an_exit_is_noticed_at_once(
    running: House, lab: LabProject, figures: FiguresRecorder
) -> None:
    lab.write(web={"lab": {"never_ready": 1, "crash_after_ms": 1000}})
    result = await running.run(lab)
    assert result["run"]["status"] == "failed"
    (failed,) = result["deployments"]
    ended = await running.ended_at(lab, failed["id"])
    events = await running.events(result["run"]["id"])
    noticed = next(event for event in events if event["type"] == "DeploymentFailed")
    seconds = (datetime.fromisoformat(noticed["timestamp"]) - ended).total_seconds()
    figures("an exit is noticed after", seconds * 1000, "ms", 500)
    assert 0 <= seconds < 1.5


@pytest.mark.timeout(120)
async def test_one_of_three_fails_and_none_switches(running: House, lab: LabProject) -> None:
    lab.write(web={}, second={"kind": "api"}, third={"kind": "api"})
    await running.deployed(lab)
    before = ids(await running.active(lab))
    lab.bump()
    lab.write(third={"kind": "api", "lab": {"never_ready": 1}, "readiness": SHORT})
    async with Load(await running.target()) as load:
        result = await running.run(lab)
    assert result["run"]["status"] == "failed"
    assert {each["status"] for each in result["deployments"]} == {"failed"}
    by_name = {each["serviceName"]: each["failureMessage"] for each in result["deployments"]}
    assert "did not get ready" in by_name["third"]
    assert by_name["web"].startswith("not switched: third:")
    assert ids(await running.active(lab)) == before
    assert load.report().lost == ()
    assert set(load.report().versions) == {"v1"}
    # Mended, the same project deploys.
    lab.write(third={"kind": "api"})
    await running.deployed(lab)
    assert (await get(await running.target(), "/version")).version == lab_version(lab)


def ids(active: dict[str, list[Json]]) -> dict[str, str]:
    """The one active deployment of each service."""
    return {name: found[0]["id"] for name, found in active.items() if len(found) == 1}


def lab_version(lab: LabProject) -> str:
    return f"v{lab.version}"


@pytest.mark.timeout(120)
async def test_one_that_was_ready_dies_at_the_barrier(running: House, lab: LabProject) -> None:
    lab.write(web={}, slow={"kind": "api"})
    await running.deployed(lab)
    before = ids(await running.active(lab))
    lab.bump()
    lab.write(web={"lab": {"crash_after_ms": 3000}}, slow={"lab": {"boot_delay_ms": 90_000}})
    began = time.monotonic()
    result = await running.run(lab)
    assert time.monotonic() - began < 60
    by_name = {each["serviceName"]: each["failureMessage"] for each in result["deployments"]}
    assert "it was ready, and exited with code 1" in by_name["web"]
    assert "its last lines:" in by_name["web"]
    assert by_name["slow"].startswith("not switched: web:")
    assert ids(await running.active(lab)) == before


@pytest.mark.timeout(120)
async def test_a_build_that_fails(running: House, lab: LabProject) -> None:
    await running.deployed(lab)
    lab.bump()
    lab.write(web={"build": {"command": "echo compiling; echo 'no such thing' >&2; exit 7"}})
    began = time.monotonic()
    result = await running.run(lab)
    (failed,) = result["deployments"]
    assert failed["promotionStage"] == "building"
    assert "code 7" in failed["failureMessage"]
    assert "no such thing" in failed["failureMessage"].split("the last lines of the build:")[1]
    assert time.monotonic() - began < 60
    query = {"project": lab.name, "deployment": failed["id"], "stream": "compartment"}
    lines = [line["message"] async for line in running.client.logs(query)]
    assert "compiling" in lines
    assert "no such thing" in lines
    assert (await get(await running.target(), "/version")).version == "v1"
