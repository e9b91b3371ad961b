"""After a reboot everything that was active is live again, and nobody gets a wrong reply."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import psutil
import pytest

from core.files import Home
from tests.e2e.boot import (
    LIMIT_S,
    Caller,
    booted,
    end_everything,
    forget_what_a_boot_forgets,
    stranger,
)
from tests.e2e.house import house, processes_of
from tests.load.plan import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from tests.e2e.house import House, LabProject
    from tests.engine.plugin import Faults
    from tests.figures import FiguresRecorder

pytestmark = pytest.mark.timeout(180)

_REPLIES = 50
_BACKOFFICE_BOOT_MS = 700
_NEVER = {"type": "http", "path": "/up", "timeoutMs": 60_000}


@asynccontextmanager
async def asked(callers: Sequence[Caller]) -> AsyncIterator[None]:
    """Callers who ask from now on, until they have had enough replies after the block."""
    async with asyncio.TaskGroup() as tasks:
        asking = [tasks.create_task(each.ask()) for each in callers]
        yield
        enough = [each.right + _REPLIES for each in callers]
        async with asyncio.timeout(LIMIT_S):
            while any(each.right < n for each, n in zip(callers, enough, strict=True)):
                await asyncio.sleep(0.05)
        for task in asking:
            task.cancel()


async def callers_of(running: House, *services: str) -> list[Caller]:
    """At the internal listener, which serves every kind."""
    address, _, port = (await running.client.agent())["internalAddress"].rpartition(":")
    hosts = {"web": "lab.localhost", "backoffice": "backoffice-lab.localhost"}
    return [Caller(Target(address, int(port), hosts[name])) for name in services]


async def ids(running: House, lab: LabProject) -> dict[str, list[str]]:
    """What is active, and how well: one deployment of each service."""
    active = await running.active(lab)
    return {name: [f"{each['id']} {each['health']}" for each in found]
            for name, found in active.items()}  # fmt: skip


def two_services(lab: LabProject) -> None:
    lab.write(
        web={"dependsOn": ["backoffice"], "lab": {"boot_delay_ms": 500}},
        backoffice={"kind": "api", "lab": {"boot_delay_ms": _BACKOFFICE_BOOT_MS}},
    )


@pytest.mark.parametrize("stage", ["checking_readiness", "draining_previous"])
async def test_everything_is_live_again(
    home: Path,
    tmp_path: Path,
    figures: FiguresRecorder,
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
) -> None:
    # A home whose path is too long for sockets has them in /tmp, which a boot empties.
    long = home / ("with a long name, " * 6).strip()
    monkeypatch.setenv("COMPARTMENT_HOME", str(long))
    assert not Home(long).sockets.is_relative_to(long)
    async with house(long) as running:
        lab = running.lab(tmp_path)
        two_services(lab)
        await running.deployed(lab)
        callers = await callers_of(running, "web", "backoffice")
        was_active = await ids(running, lab)
        lab.bump()
        if stage == "checking_readiness":
            lab.write(web={"lab": {"never_ready": 1}, "readiness": _NEVER})
        run_id = await running.submit(lab)
        await running.until(run_id, "StageChanged", promotionStage=stage)
        end_everything(running.home)
        began = time.monotonic()
        with stranger() as pid:
            forget_what_a_boot_forgets(running.home, pid)
            with booted(running.home, tmp_path) as agent:
                async with asked(callers):
                    await agent.ready()
                    ready_s = time.monotonic() - began
                result = await running.end(run_id)
                is_active = await ids(running, lab)
                started = started_at(running.home)
    opened = [each.opened_at - began for each in callers if each.opened_at is not None]
    figures(f"reboot at {stage}: everything serves after", max(opened), "s")
    figures(f"reboot at {stage}: systemd is told after", ready_s, "s")
    figures(f"reboot at {stage}: wrong replies", sum(len(each.wrong) for each in callers), "", 0)
    assert [each.wrong for each in callers] == [[], []]
    assert started["web"] - started["backoffice"] > 0.9 * _BACKOFFICE_BOOT_MS / 1000
    is_past_switch = stage == "draining_previous"
    assert result["run"]["status"] == ("succeeded" if is_past_switch else "failed")
    assert is_active.keys() == was_active.keys()
    assert (is_active != was_active) == is_past_switch
    assert {found.split()[1] for each in is_active.values() for found in each} == {"healthy"}


def started_at(home: Home) -> dict[str, float]:
    """When each service was started."""
    found = {}
    for process in processes_of(home):
        with suppress(psutil.Error):
            for child in process.children():
                name = child.environ().get("COMPARTMENT_SERVICE")
                if name is not None:
                    found[name] = child.create_time()
    return found


async def test_one_that_is_broken_does_not_hold_up_the_others_for_ever(
    running: House, lab: LabProject, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    lab.write(
        backoffice={
            "kind": "api",
            "run": {"command": f"test ! -e {broken} && exec python3 server.py"},
            "readiness": {"type": "http", "path": "/up", "timeoutMs": 2000},
        },
    )
    await running.deployed(lab)
    (caller,) = await callers_of(running, "web")
    end_everything(running.home)
    broken.touch()
    with booted(running.home, tmp_path) as agent:
        async with asked([caller]):
            await agent.ready()
        status = await running.status(lab)
    assert caller.wrong == []
    assert {name: each["health"] for name, each in status.items()} == {
        "web": "healthy", "backoffice": "unhealthy",
    }  # fmt: skip


@pytest.mark.engines("docker")
async def test_containers_are_live_again(
    running: House,
    lab: LabProject,
    tmp_path: Path,
    counts: FiguresRecorder,
    engine_faults: Faults,
) -> None:
    two_services(lab)
    await running.deployed(lab)
    was_active = await ids(running, lab)
    callers = await callers_of(running, "web", "backoffice")
    end_everything(running.home)
    await engine_faults.restart()
    with booted(running.home, tmp_path) as agent:
        async with asked(callers):
            await agent.ready()
        assert await ids(running, lab) == was_active
    counts("reboot: wrong replies", sum(len(each.wrong) for each in callers), "replies", 0)
    assert [each.wrong for each in callers] == [[], []]
