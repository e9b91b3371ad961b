"""Release commands on the process engine; those on Docker are in `test_docker_health.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject


async def printed(running: House, deployment_id: str) -> list[str]:
    query = {"deployment": deployment_id, "project": "lab", "stream": "stdout"}
    return [line["message"] async for line in running.client.logs(query)]


@pytest.mark.timeout(120)
async def test_it_runs_once_for_each_deploy_and_a_failure_stops_it(
    running: House, lab: LabProject
) -> None:
    told = 'echo "released $COMPARTMENT_SERVICE with $(cat VERSION)"'
    lab.write(web={"release": {"command": told}, "replicas": 2})
    (first,) = (await running.deployed(lab))["deployments"]
    assert (await printed(running, first["id"])).count("released web with v1") == 1
    lab.bump()
    lab.write(web={"release": {"command": "echo no such table; exit 4"}})
    failed = await running.run(lab)
    assert failed["run"]["status"] == "failed"
    for text in ("release failed", "exited with code 4", "no such table"):
        assert text in failed["deployments"][0]["failureMessage"]
    (live,) = (await running.active(lab))["web"]
    assert live["id"] == first["id"]
    assert live["replicas"] == {"ready": 2, "desired": 2}
    assert len(running.instance_names()) == 2
    # A rollback starts what was released before.
    lab.write(web={"release": {"command": "true"}})
    await running.deployed(lab)
    await running.deployed(lab, "rollback")
    assert (await printed(running, first["id"])).count("released web with v1") == 1
