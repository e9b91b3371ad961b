"""Rollbacks, and promotes, as they are asked for: what they take, what they say, what they refuse.

Under load: `test_under_load.py`; several in a row: `test_hardships.py`; during a drain:
`test_taking_back.py`; with the engine away: `test_docker_lost.py`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from core.cli.exits import Exit
from tests.e2e.side_by_side import Environment
from tests.e2e.test_cli import PROGRAM, Done

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject

PATIENCE_S = 60
ODD = "stage/1 ü"
"""The name of an environment may have any characters that can be seen."""

WHO = {"version": """'"$(cat VERSION) in $COMPARTMENT_ENVIRONMENT, $FLAVOUR"'"""}


async def compartment(lab: LabProject, *arguments: str) -> Done:
    """Runs a command in the project's folder, to its end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, *arguments),
        cwd=lab.root,
        env={**os.environ, "PYTHONUTF8": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    return Done(process.returncode, out.decode(), err.decode())


async def test_a_rollback_starts_with_the_variables_it_ran_with(
    running: House, lab: LabProject
) -> None:
    production = Environment(running, lab, "production")
    lab.write(web={"lab": WHO})
    await production.set(FLAVOUR="sweet", SAME="1")
    await production.deployed()
    lab.bump()
    await production.set("web", FLAVOUR="sour")
    await production.deployed()
    await production.set(ADDED="1")

    (planned,) = (await running.client.plan({**production.query, "trigger": "rollback"}))[
        "services"
    ]
    changed = "it starts with the variables it ran with; set otherwise now: ADDED, FLAVOUR"
    assert planned["variablesChanged"] == ["ADDED", "FLAVOUR"]
    assert planned["warnings"] == [changed]
    back = await compartment(lab, "rollback")
    assert back.code == Exit.DONE
    assert f"warning: {changed}" in back.err
    assert "sweet" not in back.err + back.out
    assert (await production.reply())["version"] == "v1 in production, sweet"

    # The next deploy has what is set now.
    await production.deployed()
    assert (await production.reply())["version"] == "v2 in production, sour"


@pytest.mark.timeout(120)
async def test_several_services_return_together_or_none(running: House, lab: LabProject) -> None:
    lab.write(web={}, backoffice={"kind": "api"}, extra={"kind": "api"})
    await running.deployed(lab)
    first = await active_ids(running, lab)
    lab.bump()
    await running.deployed(lab, services=["web", "backoffice"])
    second = await active_ids(running, lab)

    refused = await compartment(lab, "rollback")
    assert refused.code == Exit.FAILED
    assert "error: no earlier deployment of extra: nothing is rolled back" in refused.err
    assert "--service backoffice --service web" in refused.err
    assert await active_ids(running, lab) == second

    named = ("--service", "web", "--service", "backoffice")
    artifact = await artifact_of(running, lab, first["backoffice"])
    manifest = running.home.releases / f"{artifact}.json"
    kept = manifest.read_bytes()
    manifest.unlink()
    instances = running.instance_names()
    runs = await running.client.runs({"project": "lab", "limit": 10})
    gone = await compartment(lab, "rollback", *named, "--output", "json")
    assert gone.code == Exit.FAILED
    assert "is gone, it cannot be started again" in gone.err
    assert "name another one with --to ID, or deploy its source again" in gone.err
    assert json.loads(gone.out)["error"]["code"] == "deployment_image_not_available"
    assert await active_ids(running, lab) == second
    assert running.instance_names() == instances
    assert await running.client.runs({"project": "lab", "limit": 10}) == runs

    manifest.write_bytes(kept)
    back = await compartment(lab, "rollback", *named)
    assert back.code == Exit.DONE, back.err
    assert await active_ids(running, lab) == first


async def active_ids(running: House, lab: LabProject) -> dict[str, str]:
    return {name: found["id"] for name, (found,) in (await running.active(lab)).items()}


async def artifact_of(running: House, lab: LabProject, deployment: str) -> str:
    found = await running.client.inspect({"project": lab.name, "deployment": deployment})
    return str(found["deployments"][0]["artifactId"])


@pytest.mark.timeout(180)
async def test_promote_and_roll_back_from_the_command_line(running: House, lab: LabProject) -> None:
    """Between production and an environment with an odd name."""
    odd, production = Environment(running, lab, ODD), Environment(running, lab, "production")
    lab.write(web={"lab": WHO})
    assert (await compartment(lab, "variable", "set", "FLAVOUR", "sour", "--env", ODD)).code == 0
    first = await compartment(lab, "deploy", "--env", ODD, "--output", "json")
    assert first.code == Exit.DONE, first.err
    tried = first.document["deployments"][0]
    assert tried["environmentName"] == ODD
    assert (await odd.reply())["version"] == f"v1 in {ODD}, sour"

    promoted = await compartment(lab, "promote", "--from", ODD, "--to", "production")
    assert promoted.code == Exit.DONE, promoted.err
    assert "promote of lab/production" in promoted.err
    assert promoted.out.splitlines()[1].split()[:4] == ["web", "succeeded", "active", "healthy"]
    again = await compartment(lab, "promote", "--from", ODD, "--to", "production")
    assert (again.code, again.out) == (
        Exit.DONE, "nothing changed: every service is up to date\n",
    )  # fmt: skip
    live = (await production.active())["web"]

    lab.bump()
    await odd.deployed()
    second = await compartment(
        lab, "promote", "--from", ODD, "--to", "production", "--output", "json"
    )
    assert second.document["run"]["trigger"] == "promote"
    (told,) = second.document["deployments"]
    assert told["promotedFrom"] == (await odd.active())["web"]["id"]

    back = await compartment(lab, "rollback", "--to", live["id"], "--output", "json")
    assert back.code == Exit.DONE, back.err
    assert back.document["run"]["trigger"] == "rollback"
    assert back.document["activeDeployments"][0]["id"] == live["id"]
    undone = await compartment(lab, "rollback", "--env", ODD, "--to", tried["id"])
    assert undone.code == Exit.DONE, undone.err
    assert (await odd.active())["web"]["id"] == tried["id"]

    for arguments, code, words in (
        (("--from", ODD, "--to", ODD), Exit.FAILED, f"lab/{ODD} cannot be promoted to itself"),
        (("--from", "nowhere", "--to", ODD), Exit.FAILED, f"it has: production, {ODD}"),
        (("--from", ODD), Exit.USAGE, "the following arguments are required: --to"),
    ):
        refused = await compartment(lab, "promote", *arguments)
        assert (refused.code, refused.out) == (code, "")
        assert words in refused.err
        assert len(refused.err.splitlines()) == 2
    for_another = await compartment(lab, "rollback", "--to", tried["id"])
    assert for_another.code == Exit.FAILED
    assert f"{tried['id']} is no deployment of lab/production" in for_another.err
