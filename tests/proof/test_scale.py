"""A thousand services and a hundred thousand old deployments cost a person no waiting.

The past is a real deploy, copied a hundred thousand times under other names and times, with its run
and all its events. The services are live as the journal says; one server stands in for all of their
processes, at which the real gateway's routes and health checks lead. Agent, gateway, journal,
commands and dashboard are the real ones, and each command is measured as a whole: from the start of
its process to its end, as somebody would who looks at a clock.

The switch is measured at the gateway itself, before a thousand services each of which has a host
name on both listeners and an entrance: from the first byte of the new routes that is written to the
moment in which the version of the new table is seen through every listener.

Envoy reads the table on its main thread, which is most of it. It took 442 ms while each host had
routes of its own against unsafe paths and its own rules for retries, and 203 ms while there was a
table for each kind of listener. No request waits for it: until it is over all are answered by what
was live.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.bench.screen import screen
from tests.proof.scale.commands import median_of
from tests.proof.scale.crowd import NAME, crowded
from tests.proof.scale.routes import many_routes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.house import House
    from tests.figures import FiguresRecorder
    from tests.proof.evidence import SeriesRecorder


@pytest.mark.timeout(120)
async def test_status_at_a_hundred_services(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figures: FiguresRecorder
) -> None:
    async with crowded(home, tmp_path, 100, 1000, monkeypatch) as (running, _):
        found = await running.client.status({"project": NAME})
        assert len(found["activeDeployments"]) == 101
        seconds = await median_of("status", "--project", NAME)
    figures("status of 100 services, the whole command", seconds, "s", 0.2)
    assert seconds < 4


@pytest.mark.timeout(120)
async def test_a_switch_among_a_thousand_services(
    home: Path, figures: FiguresRecorder, extent: Callable[[int, int], int]
) -> None:
    switches, wholes = [], []
    async with many_routes(home, 1000) as routes:
        for number in range(extent(2, 20)):
            routes.generations[number] += 1
            table = routes.table()
            began = time.monotonic()
            switches.append(await routes.gateway.apply(table))
            wholes.append(time.monotonic() - began)
            await routes.gateway.remove_drained(table)
        assert routes.gateway.envoy.is_running
    figures("switch among 1,000 services, median", 1000 * statistics.median(switches), "ms", 100)
    figures("switch with new clusters, median", 1000 * statistics.median(wholes), "ms")
    assert statistics.median(switches) < 20


@pytest.mark.whole
@pytest.mark.timeout(500)
@pytest.mark.parametrize("services", [1, 100, 1000])
async def test_commands_with_a_hundred_thousand_old_deployments(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    figures: FiguresRecorder,
    series: SeriesRecorder,
    services: int,
) -> None:
    old, many = 100_000, f"{services:,} services"
    async with crowded(home, tmp_path, services, old, monkeypatch) as (running, start_s):
        figures(f"{many}: the agent starts in", start_s, "s")
        figures(f"{many}: journal", running.home.journal.stat().st_size / 2**20, "MiB")
        for words, goal in (
            ("status", 0.2 if services <= 100 else None),
            ("logs --tail 100", None),
            ("deployment list", None),
            ("deployment list --service service-0000 --limit 100", None),
            ("inspect --service service-0000", None),
        ):
            seconds = await median_of(*words.split(), "--project", NAME)
            figures(f"{many}: {words}", seconds, "s", goal)
            assert seconds < 20, words
            if words == "status":
                series("cost", "status, s", "services", [(services, seconds)])
        figures(f"{many}: all events, a page", await _page_of_events(running, old), "ms")
        async with screen(home.parent, "--project", NAME) as seen:
            seen.look_away()
            first = await seen.hear("services", within_s=60) - seen.began
            whole = await seen.hear(f"service-{0:04}", within_s=60) - seen.began
        figures(f"{many}: dashboard, first frame", first, "s")
        figures(f"{many}: dashboard, first complete picture", whole, "s")
        agent = psutil.Process(await running.agent_pid())
        figures(f"{many}: memory of the agent", agent.memory_info().rss / 2**20, "MiB")


async def _page_of_events(running: House, after: int) -> float:
    """Milliseconds until the first events after some of the past are there."""
    began = time.monotonic()
    async with asyncio.timeout(60):
        async for event in running.client.events(after):
            assert event["seq"] == after + 1
            break
    return 1000 * (time.monotonic() - began)
