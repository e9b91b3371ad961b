"""The deploys and rollbacks that go on under the load, and when each was known to be a fact."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.house import House, LabProject

DEPLOY, ROLLBACK = "deploy", "rollback"
TURNS = (DEPLOY, DEPLOY, ROLLBACK)


@dataclass(frozen=True, slots=True)
class Switch:
    """Times are of the monotonic clock."""

    trigger: str
    version: str
    asked_at: float
    acknowledged_at: float
    """When the test was told: from now on nobody else may answer."""


async def switch(running: House, lab: LabProject, trigger: str) -> Switch:
    """One run, to its end: it succeeds and cuts no request."""
    version = lab.bump() if trigger == DEPLOY else f"v{lab.version - 1}"
    asked_at = time.monotonic()
    run_id = await running.submit(lab, trigger)
    await running.until(run_id, "RoutesSwitched")
    acknowledged_at = time.monotonic()
    result = await running.end(run_id)
    assert result["run"]["status"] == "succeeded", result["failureMessage"]
    assert result["run"]["cutRequests"] == 0
    return Switch(trigger, version, asked_at, acknowledged_at)
