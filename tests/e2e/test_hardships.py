"""What goes wrong on machines: one clear error each, and nothing that was live is lost."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.agent import client as client_module
from core.agent.client import Client
from core.errors import (
    AgentUnavailable,
    CompartmentError,
    Conflict,
    GatewayUnavailable,
    JournalDamaged,
    NotFound,
    TargetBusy,
)
from core.files import Home
from core.gateway.table import Ports
from core.ports import free_port
from tests.e2e.clients import get, held
from tests.e2e.house import House, house, kill
from tests.load.load import Load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.house import LabProject

STAGES = ("building", "starting_candidate", "checking_readiness")


async def test_a_port_in_use(running: House, lab: LabProject) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        await running.client.stop_agent()
        await running.client.attach(ports=Ports(port, 0))
        with pytest.raises(GatewayUnavailable) as caught:
            await running.submit(lab)
    assert f"127.0.0.1:{port}" in caught.value.message
    assert f"pid {os.getpid()}" in caught.value.message
    assert "--port" in (caught.value.hint or "")
    with pytest.raises(NotFound):
        await running.status(lab)
    # Once it is free the same deploy works.
    await running.deployed(lab)


def test_a_second_agent_is_refused(running: House) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "core.agent.daemon"],
        env={**os.environ, "COMPARTMENT_HOME": str(running.home.root)},
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )
    assert done.returncode == 1
    assert "another agent holds" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.timeout(120)
async def test_ports_are_moved_under_what_is_live(running: House, lab: LabProject) -> None:
    await running.deployed(lab)
    await running.client.stop_agent()
    public = free_port(set())
    internal = free_port({public})
    await running.client.attach(ports=Ports(public, internal))
    assert (await running.target()).port == public
    assert (await get(await running.target(), "/version")).version == "v1"
    lab.bump()
    await running.deployed(lab)
    assert (await get(await running.target(), "/version")).version == "v2"


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(120)
async def test_names_that_would_share_a_host(running: House, lab: LabProject) -> None:
    lab.write(web={}, **{"api_v1": {"kind": "api"}, "api-v1": {"kind": "api"}})
    result = await running.deployed(lab)
    urls = {each["serviceName"]: each["routeUrl"] for each in result["deployments"]}
    assert len(set(urls.values())) == 3
    again = await running.deployed(lab, "redeploy")
    assert {each["serviceName"]: each["routeUrl"] for each in again["deployments"]} == urls


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(120)
async def test_taking_down_without_a_gateway(running: House, lab: LabProject) -> None:
    await running.deployed(lab)
    kill(running.gateway_pid())
    assert (await running.client.down({"project": "lab"}))["stopped"] == ["web"]
    assert running.instance_names() == set()
    lab.bump()
    await running.deployed(lab)
    assert (await get(await running.target(), "/version")).version == "v2"


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(120)
async def test_an_idle_agent_of_another_version_is_replaced(
    running: House, lab: LabProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    await running.deployed(lab)
    before = await running.agent_pid()
    monkeypatch.setattr(client_module, "__version__", "999.0")
    async with Load(await running.target()) as load:
        await running.client.attach()
    assert await running.agent_pid() != before
    assert [str(loss) for loss in load.report().lost] == []
    monkeypatch.setattr(client_module, "PROTOCOL", 999)
    with pytest.raises(AgentUnavailable, match="speaks another protocol"):
        await running.client.attach()


async def test_two_folders_with_one_name(running: House, lab: LabProject, tmp_path: Path) -> None:
    await running.deployed(lab)
    twin = running.lab(tmp_path / "elsewhere", "lab")
    twin.write(web={})
    with pytest.raises(Conflict, match="deployed from another folder") as caught:
        await running.submit(twin)
    assert str(lab.root) in caught.value.message
    # A project that has moved is the same project.
    shutil.rmtree(lab.root)
    await running.deployed(twin)


async def test_rollback_without_a_past(running: House, lab: LabProject) -> None:
    with pytest.raises(NotFound, match="nothing is active"):
        await running.submit(lab, "rollback")
    await running.deployed(lab)
    with pytest.raises(NotFound, match="no earlier deployment"):
        await running.submit(lab, "rollback")
    with pytest.raises(NotFound, match="no service stranger"):
        await running.submit(lab, services=["stranger"])
    with pytest.raises(NotFound, match="never deployed"):
        await running.client.status({"project": "stranger"})
    with pytest.raises(NotFound, match="no environment staging"):
        await running.client.status({"project": "lab", "environment": "staging"})


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(120)
async def test_rollbacks_do_not_ping_pong(running: House, lab: LabProject) -> None:
    ids = []
    for _ in range(3):
        (deployment,) = (await running.deployed(lab))["deployments"]
        ids.append(deployment["id"])
        lab.bump()
    first, second, third = ids
    assert (await running.deployed(lab, "rollback"))["activeDeployments"][0]["id"] == second
    assert (await running.status(lab))["web"]["id"] == second
    query = {"project": "lab", "deployment": third}
    (displaced,) = (await running.client.inspect(query))["deployments"]
    assert displaced["promotionStage"] == "rolled_back"
    assert (await running.deployed(lab, "rollback"))["activeDeployments"][0]["id"] == first
    with pytest.raises(NotFound):
        await running.submit(lab, "rollback")
    result = await running.deployed(lab, "rollback", services=["web"], to=third)
    (active,) = result["activeDeployments"]
    assert (active["id"], active["promotionStage"]) == (third, "active")
    assert (await get(await running.target(), "/version")).version == "v3"


async def test_a_rollback_that_fails_leaves_the_record_true(
    running: House, lab: LabProject
) -> None:
    (first,) = (await running.deployed(lab))["deployments"]
    lab.bump()
    (second,) = (await running.deployed(lab))["deployments"]
    inspected = await running.client.inspect({"project": "lab", "deployment": first["id"]})
    artifact = running.home.releases / inspected["deployments"][0]["artifactId"]
    (artifact / "server.py").write_text("raise SystemExit('rotten')")
    result = await running.run(lab, "rollback")
    assert result["run"]["status"] == "failed"
    assert "rotten" in result["failureMessage"]
    assert result["activeDeployments"][0]["id"] == second["id"]
    inspected = await running.client.inspect({"project": "lab", "deployment": first["id"]})
    (record,) = inspected["deployments"]
    assert (record["status"], record["promotionStage"]) == ("succeeded", "active")
    assert not record["isActive"]


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(120)
async def test_unchanged_services_are_left_alone(running: House, lab: LabProject) -> None:
    (first,) = (await running.deployed(lab))["deployments"]
    again = await running.deployed(lab)
    assert again["deployments"] == []
    assert again["activeDeployments"][0]["id"] == first["id"]
    plan = await running.client.plan(
        {"project": "lab", "trigger": "deploy", "root": str(lab.root), "environ": {}}
    )
    (planned,) = plan["services"]
    assert (planned["action"], planned["because"]) == ("leave", "unchanged")
    (third,) = (await running.deployed(lab, "redeploy"))["deployments"]
    assert third["id"] != first["id"]


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(120)
async def test_one_run_at_a_time(running: House, lab: LabProject) -> None:
    lab.write(web={"lab": {"boot_delay_ms": 1500}})
    first = await running.submit(lab)
    with pytest.raises(TargetBusy, match=first):
        await running.submit(lab, waitS=0)
    impatient = await running.submit(lab, waitS=0.2)
    patient = await running.submit(lab, "redeploy")
    result = await running.end(impatient)
    assert (result["run"]["status"], result["run"]["failureCode"]) == (
        "failed",
        "deployment_target_busy",
    )
    assert first in result["failureMessage"]
    for run_id in (first, patient):
        assert (await running.end(run_id))["run"]["status"] == "succeeded"
    assert len((await running.active(lab))["web"]) == 1


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(120)
@pytest.mark.parametrize("stage", STAGES)
async def test_cancel_before_the_switch(running: House, lab: LabProject, stage: str) -> None:
    await running.deployed(lab)
    lab.bump()
    build = "sleep 30" if stage == "building" else "true"
    lab.write(web={"build": {"command": build}, "lab": {"never_ready": 1}})
    async with Load(await running.target()) as load:
        run_id = await running.submit(lab)
        await running.until(run_id, "StageChanged", promotionStage=stage)
        async with asyncio.timeout(20):
            run = await running.client.cancel(run_id)
    assert (run["status"], run["failureCode"]) == ("failed", "cancelled")
    assert load.report().lost == ()
    assert set(load.report().versions) == {"v1"}
    assert len(running.instance_names()) == 1
    with pytest.raises(Conflict, match="is over"):
        await running.client.cancel(run_id)


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(120)
async def test_cancel_while_it_goes_back(running: House, lab: LabProject) -> None:
    """The candidate takes its time to end, and somebody is impatient."""
    short = {"type": "http", "path": "/up", "timeoutMs": 500}
    lab.write(web={"lab": {"never_ready": 1, "term_mode": "ignore"}, "readiness": short})
    run_id = await running.submit(lab)
    await running.until(run_id, "DeploymentFailed")
    with suppress(Conflict):  # it has an end of its own already
        await running.client.cancel(run_id)
    result = await running.end(run_id)
    assert result["run"]["status"] == "failed"
    assert "did not get ready" in result["failureMessage"]
    assert running.instance_names() == set()


@pytest.mark.timeout(120)
async def test_cancel_after_the_switch_is_refused(running: House, lab: LabProject) -> None:
    await running.deployed(lab)
    lab.bump()
    async with held(await running.target()):
        run_id = await running.submit(lab)
        await running.until(run_id, "RoutesSwitched")
        with pytest.raises(Conflict, match="past the switch"):
            await running.client.cancel(run_id)
    assert (await running.end(run_id))["run"]["status"] == "succeeded"


async def test_a_damaged_journal(running: House, lab: LabProject) -> None:
    await running.deployed(lab)
    target = await running.target()
    kill(await running.agent_pid())
    for file in running.home.root.glob("journal.db*"):
        file.write_bytes(b"not a journal" * 1000)
    with pytest.raises(JournalDamaged, match=r"journal\.db is damaged") as caught:
        await running.client.attach()
    assert "compartment doctor --rebuild" in (caught.value.hint or "")
    # The traffic does not depend on it.
    assert (await get(target, "/version")).version == "v1"


async def test_damage_that_is_met_later(running: House, lab: LabProject) -> None:
    """Of what an agent has in mind nothing is wrong, and it goes on."""
    await running.deployed(lab)
    lab.bump()
    await running.deployed(lab)
    before = await running.agent_pid()
    with closing(sqlite3.connect(running.home.journal, timeout=60)) as journal, journal:
        journal.execute(
            "UPDATE deployments SET body = json_remove(body, '$.artifact_id') WHERE is_active = 0"
        )
    with pytest.raises(JournalDamaged, match="a Deployment in it cannot be read"):
        await running.client.history({"project": lab.name})
    assert (await get(await running.target(), "/version")).version == "v2"
    assert await running.agent_pid() == before


async def test_a_home_that_cannot_be_made() -> None:
    with pytest.raises(CompartmentError, match="cannot use the home folder") as caught:
        async with Client.connected(Home(Path("/proc/compartment"))):
            pass
    assert "COMPARTMENT_HOME" in (caught.value.hint or "")


async def test_a_home_with_a_very_long_path(tmp_path: Path) -> None:
    deep = tmp_path / ("long" * 30) / "home"
    async with house(deep) as running:
        lab = running.lab(tmp_path)
        lab.write(web={})
        await running.deployed(lab)
        assert (await get(await running.target(), "/version")).version == "v1"
        sockets = running.home.sockets
        assert not sockets.is_relative_to(deep)
        assert sockets.stat().st_mode & 0o077 == 0
    shutil.rmtree(sockets)


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, check=False).returncode != 0:
        pytest.skip("a disk of its own can only be mounted by root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.timeout(120)
async def test_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=20m") as disk:
        async with house(disk / "h") as running:
            lab = running.lab(tmp_path)
            lab.write(web={})
            await running.deployed(lab)
            target = await running.target()
            async with Load(target) as load:
                lab.bump()
                fill(disk / "filler")
                with pytest.raises(CompartmentError) as caught:
                    await running.deployed(lab)
                (disk / "filler").unlink()
                await running.client.attach()
                await running.deployed(lab)
            assert "No space left" in caught.value.message or "full" in caught.value.message
            assert [str(loss) for loss in load.report().lost] == []
            assert (await get(target, "/version")).version == "v2"
            assert len(running.instance_names()) == 1


def fill(filler: Path) -> None:
    """Takes all room that is left, to the last byte."""
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        for size in (65536, 4096, 1):
            with suppress(OSError):
                while os.write(descriptor, bytes(size)):
                    pass
    finally:
        os.close(descriptor)


async def test_a_read_only_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "ro") as disk:
        with pytest.raises(CompartmentError, match="Read-only") as caught:
            async with Client.connected(Home(disk / "h")):
                pass
        assert "COMPARTMENT_HOME" in (caught.value.hint or "")
