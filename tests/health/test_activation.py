"""What is told of an activation when its instances change."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.health.activation import ActivationHealth
from core.model import Health, Stage, Status
from core.records import Activation, ActivationState
from tests.promotion.records import deployment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.promotion.ledger import Ledger

LIVE = deployment(
    status=Status.SUCCEEDED, stage=Stage.ACTIVE, is_active=True, health=Health.HEALTHY
)
THREE = Activation(LIVE.id, 1, ActivationState.LIVE, LIVE.created_at, replicas=3)
NAMES = THREE.instance_names


@pytest.fixture
async def ledger(ledger: Ledger) -> Ledger:
    """One that knows of the live one."""
    await ledger.write(LIVE, THREE)
    return ledger


@asynccontextmanager
async def watched(ledger: Ledger) -> AsyncIterator[ActivationHealth]:
    health = ActivationHealth(ledger, THREE)
    async with asyncio.TaskGroup() as tasks:
        keeping = tasks.create_task(health.keep_told())
        yield health
        keeping.cancel()


async def reason(ledger: Ledger, wanted: str | None) -> None:
    """Waits until this is why it is unhealthy."""
    async with asyncio.timeout(60):
        while ledger.deployments[LIVE.id].health_reason != wanted:
            await ledger.wait_change()
    expected = Health.HEALTHY if wanted is None else Health.UNHEALTHY
    assert ledger.deployments[LIVE.id].health is expected


async def messages(ledger: Ledger) -> list[str]:
    return [event.message for event in await ledger.journal.events_after(0)]


async def test_how_many_are_wrong_is_told_and_the_first_reason(ledger: Ledger) -> None:
    async with watched(ledger) as health:
        for name in NAMES:
            health.note(name, None)
        health.note(NAMES[1], "connection refused")
        await reason(ledger, "1 of 3 instances: connection refused")
        assert ledger.activations[THREE.name].unhealthy == 1
        # Another reason is shown, and not told.
        health.note(NAMES[1], "GET / -> 500 Internal Server Error")
        await reason(ledger, "1 of 3 instances: GET / -> 500 Internal Server Error")
        health.note(NAMES[2], "does not answer within 0.9 s")
        await reason(ledger, "2 of 3 instances: GET / -> 500 Internal Server Error")
        for name in NAMES:
            health.note(name, None)
        await reason(ledger, None)
    assert await messages(ledger) == [
        "unhealthy: 1 of 3 instances: connection refused",
        "unhealthy: 2 of 3 instances: GET / -> 500 Internal Server Error",
        "healthy again",
    ]


async def test_the_end_of_what_was_unhealthy_is_told(ledger: Ledger) -> None:
    async with watched(ledger) as health:
        for name in NAMES:
            health.note(name, None)
        health.note(NAMES[0], "exited with code 1")
        await reason(ledger, "1 of 3 instances: exited with code 1")
        health.end(NAMES[0], "exited with code 1 and is not restarted")
        await reason(ledger, "1 of 3 instances: exited with code 1 and is not restarted")
    assert await messages(ledger) == [
        "unhealthy: 1 of 3 instances: exited with code 1",
        "unhealthy: 1 of 3 instances: exited with code 1 and is not restarted",
    ]


async def test_nothing_is_told_before_all_were_looked_at(ledger: Ledger) -> None:
    await ledger.write(LIVE.changed(health=Health.UNHEALTHY, health_reason="as it was"))
    async with watched(ledger) as health:
        health.note(NAMES[0], None)
        health.note(NAMES[1], None)
        for _ in range(20):
            await asyncio.sleep(0)
        assert ledger.deployments[LIVE.id].health_reason == "as it was"
        health.note(NAMES[2], None)
        await reason(ledger, None)


async def test_of_what_drains_nothing_is_told(ledger: Ledger) -> None:
    await ledger.write(replace(THREE, state=ActivationState.DRAINING))
    async with watched(ledger) as health:
        for name in NAMES:
            health.note(name, "exited with code 1")
        for _ in range(20):
            await asyncio.sleep(0)
    assert ledger.deployments[LIVE.id].health is Health.HEALTHY
    assert await messages(ledger) == []
