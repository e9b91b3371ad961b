"""Proof 2: calls between services lose nothing either, through one address for ever."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject
    from tests.figures import FiguresRecorder

CALLER = Path(__file__).with_name("caller")
DEPLOYS = 10


def caller_beside(lab: LabProject, **fields: Any) -> None:
    """Adds the service that calls `backoffice` all the time, and is ready once it was answered."""
    shutil.copytree(CALLER, lab.root / "caller", dirs_exist_ok=True)
    readiness = {"type": "http", "path": "/up", "timeoutMs": 20_000}
    lab.write(
        backoffice={"kind": "api"},
        web={"path": "caller", "readiness": readiness, "run": {"command": "exec python3 main.py"}}
        | fields,
    )


class Caller:
    """The calling service, asked through the gateway."""

    def __init__(self, client: httpx.AsyncClient, url: str, host: str) -> None:
        self._client, self._url, self._headers = client, url, {"host": host}

    async def ask(self, path: str = "/calls") -> dict[str, Any]:
        found: dict[str, Any] = (
            await self._client.get(self._url + path, headers=self._headers)
        ).json()
        return found

    async def has_called(self, more: int) -> None:
        """Returns when so many more calls were answered."""
        wanted = sum((await self.ask())["answered"].values()) + more
        async with asyncio.timeout(60):
            while sum((await self.ask())["answered"].values()) < wanted:
                await asyncio.sleep(0.05)


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(240)
async def test_calls_between_services_lose_nothing(
    running: House, lab: LabProject, counts: FiguresRecorder
) -> None:
    caller_beside(lab)
    # Each needs the other to be ready, and nothing is live yet.
    await running.deployed(lab)
    target = await running.target()
    async with httpx.AsyncClient(trust_env=False) as client:
        caller = Caller(client, f"http://{target.address}:{target.port}", target.host)
        await caller.ask("/forget")
        address = (await caller.ask())["address"]
        for _ in range(DEPLOYS):
            lab.bump()
            result = await running.deployed(lab, services=["backoffice"])
            assert result["run"]["cutRequests"] == 0
            await caller.has_called(20)
        found = await caller.ask()
    counts("calls while the called service was deployed 10 times", _sum(found), "requests")
    counts("calls lost", len(found["errors"]), "requests", 0)
    assert found["errors"] == []
    assert found["address"] == address
    # Every version was called, the last one too: the caller was moved from one to the next.
    assert set(found["answered"]) == {f"v{number}" for number in range(1, DEPLOYS + 2)}


@pytest.mark.engines("process", "docker")
@pytest.mark.timeout(120)
async def test_services_that_wait_for_each_other_come_up(running: House, lab: LabProject) -> None:
    shutil.copytree(CALLER, lab.root / "caller")
    fields = {"path": "caller", "readiness": {"type": "http", "path": "/up"}}
    lab.services = {}
    lab.write(
        web={**fields, "run": {"command": "CALLS=OTHER_URL exec python3 main.py"}},
        other={**fields, "kind": "api", "run": {"command": "CALLS=WEB_URL exec python3 main.py"}},
    )
    await running.deployed(lab)
    # Not only when nothing is live: one whose other half is exchanged with it, too.
    await running.deployed(lab, "redeploy")


def _sum(found: dict[str, Any]) -> int:
    return sum(found["answered"].values())
