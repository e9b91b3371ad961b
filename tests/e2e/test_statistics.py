"""Figures of real services under a real gateway, as a dashboard gets them."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.load.load import Load
from tests.load.plan import NO_LOAD

if TYPE_CHECKING:
    from tests.e2e.house import House, Json, LabProject

REQUESTS_PER_S = 20


async def test_what_a_service_takes_and_answers(running: House, lab: LabProject) -> None:
    await running.deployed(lab)

    async def watch() -> Json:
        """The first figures that have everything in them."""
        async for update in running.client.watch({"project": "lab"}):
            figures: Json = update.get("statistics", {}).get("services", {}).get("web", {})
            if figures and None not in figures.values():
                return figures
        raise AssertionError

    async with Load(await running.target(), replace(NO_LOAD, fresh_per_s=REQUESTS_PER_S)):
        async with asyncio.timeout(60):
            figures = await watch()
    assert 0.2 * REQUESTS_PER_S < figures["requestsPerSecond"] < 2 * REQUESTS_PER_S
    assert figures["errorsPerSecond"] == 0
    assert 0 <= figures["p95Ms"] < 1000
    assert 0 < figures["cpuPercent"] < 200
    assert 5_000_000 < figures["memoryBytes"] < 500_000_000


async def test_a_deploy_is_not_seen_in_the_rates(running: House, lab: LabProject) -> None:
    await running.deployed(lab)
    rates: list[float] = []
    deploys = 0
    async with (
        asyncio.timeout(18),
        Load(await running.target(), replace(NO_LOAD, fresh_per_s=REQUESTS_PER_S)),
        aclosing(running.client.watch({"project": "lab"})) as updates,
    ):
        async for update in updates:
            if "statistics" not in update:
                continue
            rate = update["statistics"]["services"]["web"]["requestsPerSecond"]
            if rate is not None:
                rates.append(rate)
            if len(rates) > 1 and deploys < 2:
                deploys += 1
                lab.bump()
                await running.deployed(lab)
            if len(rates) == 5:
                break
    assert all(0.7 * REQUESTS_PER_S < rate < 1.3 * REQUESTS_PER_S for rate in rates[1:]), rates
