"""A shell beside a live service: where it runs, and with what."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from core.errors import NotFound

if TYPE_CHECKING:
    from tests.e2e.house import House, Json, LabProject


def run(shell: Json, script: str) -> list[str]:
    """What a script prints in the shell, as lines."""
    done = subprocess.run(
        [*shell["argv"], "-c", script],
        cwd=shell["cwd"],
        env=shell["environment"],
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
    )
    return done.stdout.splitlines()


async def test_it_is_in_the_release_with_the_environment_of_the_instance(
    running: House, lab: LabProject
) -> None:
    for version in ("v1", "v2"):
        result = await running.deployed(lab)
        shell = await running.client.shell({"project": "lab", "service": "web"})
        (deployment,) = result["activeDeployments"]
        inspected = await running.client.inspect({"project": "lab", "deployment": deployment["id"]})
        (live,) = inspected["deployments"][0]["activations"]
        told = run(shell, 'cat VERSION; echo "127.0.0.1:$PORT"; command -v python3')
        assert told[:2] == [version, *live["addresses"]]
        assert told[2]
        lab.bump()


async def test_a_service_that_is_not_live_has_none(running: House, lab: LabProject) -> None:
    query = {"project": "lab", "service": "web"}
    with pytest.raises(NotFound, match="service web has no live instance") as nothing:
        await running.client.shell(query)
    assert nothing.value.hint == "deploy it: compartment deploy"
    await running.deployed(lab)
    with pytest.raises(NotFound, match="service api has no live instance") as other:
        await running.client.shell({**query, "service": "api"})
    assert other.value.hint == "live: web"
    await running.client.down({"project": "lab"})
    with pytest.raises(NotFound):
        await running.client.shell(query)
