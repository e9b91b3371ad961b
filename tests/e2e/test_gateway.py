"""The one writer of the gateway: refusals, and updates in an order that loses nothing."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from core.errors import GatewayUnavailable
from core.gateway.gateway import Gateway
from core.gateway.table import Site, Table, Traffic, Upstream
from core.ports import free_port
from tests.e2e.clients import get
from tests.e2e.gateways import HOST, RunningGateway, running_gateway
from tests.load.plan import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def running(home: Path) -> AsyncIterator[RunningGateway]:
    async with running_gateway(home) as found:
        yield found


async def test_a_refused_update_says_why_and_changes_nothing(running: RunningGateway) -> None:
    good = running.table("new", "old")
    (site,) = good.sites
    twice = replace(good, sites=(site, site))
    with pytest.raises(
        GatewayUnavailable, match=r"Duplicate entry of domain public/lab\.localhost"
    ):
        await running.gateway.apply(twice)
    assert '"to": "old"' in (await running.ask()).headers["x-echo"]
    await running.gateway.apply(good)
    assert '"to": "new"' in (await running.ask()).headers["x-echo"]


async def test_a_refused_cluster_says_why_and_changes_nothing(running: RunningGateway) -> None:
    broken = replace(running.upstreams["new"], addresses=(("no address", 1),))
    running.upstreams["new"] = broken
    with pytest.raises(GatewayUnavailable, match="malformed IP address"):
        await running.gateway.apply(running.table("new", "old"))
    assert (await running.ask()).status == 200
    # An Envoy that starts now starts with what was good.
    await running.gateway.envoy.stop()
    await running.gateway.start(running.table("old"))
    assert (await running.ask()).status == 200


async def test_a_request_between_two_tries_is_in_flight(running: RunningGateway) -> None:
    """Nobody listens there: almost all of its time a request waits for the next try."""
    running.upstreams["new"] = Upstream("new", (("127.0.0.1", free_port(set())),))
    await running.gateway.apply(running.table("new"))
    seen = 0
    for _ in range(20):
        asking = asyncio.create_task(running.ask())
        looks = []
        while not asking.done():
            looks.append((await running.gateway.in_flight("new")).requests)
        assert (await asking).status == 503
        seen += any(looks)
    assert seen >= 15
    assert (await running.gateway.in_flight("new")).requests == 0


async def test_switches_to_and_fro_lose_nothing(running: RunningGateway) -> None:
    async with running.asked_all_the_time() as statuses:
        for name in ("new", "old") * 20:
            await running.gateway.apply(running.table(name))
            await running.gateway.remove_drained(running.table(name))
    assert set(statuses) == {200}
    assert len(statuses) > 40


async def test_a_switch_waits_for_no_disk(
    running: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fsync(_: int) -> None:
        pytest.fail("a switch would take as long as a disk that is busy")

    monkeypatch.setattr(os, "fsync", fsync)
    await running.gateway.apply(running.table("new", "old"))
    await running.gateway.remove_drained(running.table("new"))
    assert '"to": "new"' in (await running.ask()).headers["x-echo"]


async def test_an_agent_that_died_in_a_switch_is_followed_by_one_that_goes_back(
    running: RunningGateway,
) -> None:
    """Routed to is `new`; the next agent knows only of `old`."""
    for _ in range(10):
        await running.gateway.apply(running.table("new", "old"))
        async with running.asked_all_the_time() as statuses:
            again = Gateway(
                running.home.gateway,
                running.home.sockets / "envoy.sock",
                running.gateway.ports,
            )
            await again.start(running.table("old"))
            await again.close()
        assert set(statuses) == {200}
        assert '"to": "old"' in (await running.ask()).headers["x-echo"]


async def test_traffic_is_counted_by_upstream(running: RunningGateway) -> None:
    gateway, dead = running.gateway, Upstream("dep_dead.1", (("127.0.0.1", free_port(set())),))
    table = running.table("old", "new")
    away = Site("away.localhost", "web", is_public=True, rules=(), live={"web": dead.name})
    await gateway.apply(Table((*table.sites, away), (*table.upstreams, dead)))
    for _ in range(3):
        assert (await running.ask()).status == 200
    public = Target("127.0.0.1", gateway.ports.public, HOST)
    await get(public, "/", accept="text/event-stream")
    assert (await get(replace(public, host="away.localhost"), "/")).status == 503
    assert await gateway.traffic() == {
        "old": Traffic(4, 0, None, {"2xx": 4}),
        "new": Traffic(0, 0, None),
        "dep_dead.1": Traffic(1, 1, None, {"5xx": 1}),
    }


async def test_the_percentile_is_of_requests_in_the_last_interval(running: RunningGateway) -> None:
    gateway = running.gateway
    table = running.table("old", "new")
    streams = Site("streams.localhost", "web", is_public=True, rules=(), live={"web": "new"})
    await gateway.apply(replace(table, sites=(*table.sites, streams)))

    async def wait_p95(*, is_known: bool) -> float | None:
        async with asyncio.timeout(12):
            while True:
                found = await gateway.traffic()
                assert found is not None
                assert found["new"].p95_ms is None
                if (found["old"].p95_ms is not None) is is_known:
                    return found["old"].p95_ms
                await asyncio.sleep(0.05)

    await running.ask()
    public = Target("127.0.0.1", gateway.ports.public, "streams.localhost")
    await get(public, "/", accept="text/event-stream")
    p95_ms = await wait_p95(is_known=True)
    assert p95_ms is not None
    assert 0 <= p95_ms < 1000
    assert await wait_p95(is_known=False) is None


async def test_a_gateway_that_is_gone_has_no_traffic(running: RunningGateway) -> None:
    await running.gateway.envoy.stop()
    assert await running.gateway.traffic() is None


async def test_one_that_is_in_no_record_is_ended(running: RunningGateway) -> None:
    """Its agent has died before it could tell of it; it holds the ports."""
    stray = running.gateway.envoy.pid
    (running.home.gateway / "envoy.json").unlink()
    admin_socket = running.home.sockets / "envoy.sock"
    again = Gateway(running.home.gateway, admin_socket, running.gateway.ports)
    try:
        await again.start(running.table("new"))
        assert '"to": "new"' in (await running.ask()).headers["x-echo"]
        assert again.envoy.pid != stray
        await running.gateway.envoy.wait_exit()
    finally:
        await again.envoy.stop()
        await again.close()


async def test_one_whose_routes_are_in_no_file_is_taken_over(running: RunningGateway) -> None:
    """Such as one that was told of them in another way; it is to listen elsewhere, too."""
    before = running.gateway
    (running.home.gateway / "routes.json").unlink()
    ports = replace(before.ports, public=free_port({before.ports.internal}))
    again = Gateway(running.home.gateway, running.home.sockets / "envoy.sock", ports)
    try:
        await again.start(running.table("new"))
        assert again.envoy.pid == before.envoy.pid
        reply = await get(Target("127.0.0.1", ports.public, HOST), "/")
        assert '"to": "new"' in reply.headers["x-echo"]
    finally:
        await again.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere none hands over to the next")
async def test_one_that_is_stopped_leaves_no_shared_memory(running: RunningGateway) -> None:
    pid = running.gateway.envoy.pid
    assert pid is not None
    told = psutil.Process(pid).cmdline()
    name = f"envoy_shared_memory_{told[told.index('--base-id') + 1]}0"
    assert is_shared(name)
    await running.gateway.envoy.stop()
    assert not is_shared(name)


def is_shared(name: str) -> bool:
    return Path("/dev/shm", name).exists()
