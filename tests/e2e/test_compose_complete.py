"""The chapter's complete example as it stands, on port 80 of this machine.

With real nginx, PostgreSQL and Redis. All tests share one that runs; each leaves it running.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.conftest import own_home
from tests.e2e.clients import get
from tests.e2e.compose_project import ComposeProject, Inside
from tests.e2e.compose_shop import DRAWN, NGINX, STATEFUL, Shop
from tests.e2e.house import house, kill
from tests.load.outcome import RequestLost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.figures import FiguresRecorder
    from tests.load.report import Report

pytestmark = [
    pytest.mark.docker("nginx", "postgres", "redis", "python"),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.alone,  # port 80
    pytest.mark.timeout(240),
]

PORTS = {"nginx": 80, "app": 3000, "db": 5432, "redis": 6379, "worker": 9}
"""The worker listens nowhere: that it refuses shows that it is reached."""

DEPLOYS, ROLLBACKS = 10, 2
OF_NGINX_TOO = 4
"""In this one of the deploys nginx.conf has changed as well, and no service is named."""


@pytest.fixture(scope="module", autouse=True)
def home() -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        for path in own_home(monkeypatch):
            monkeypatch.setenv("COMPARTMENT_KEEP_RELEASES", "20")
            yield path


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(
    home: Path, docker_socket: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Shop]:
    """Nothing of it is deployed yet."""
    project = ComposeProject.made(tmp_path_factory.mktemp("shop"), "complete")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{docker_socket}")
        async with house(home, docker_socket) as running:
            yield Shop(running, project, Inside(docker_socket, running, project))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def live(shop: Shop) -> Shop:
    """Database and cache first, as `compartment deploy --service db --service redis`; then all."""
    await shop.deployed(*STATEFUL)
    assert set(await shop.running.active(shop.project)) == set(STATEFUL)
    before = await shop.inside.ids(*STATEFUL)
    await shop.deployed()
    assert await shop.inside.ids(*STATEFUL) == before, "what had not changed was replaced"
    assert set(await shop.running.active(shop.project)) == set(DRAWN)
    return shop


async def test_nginx_passes_on_what_it_was_asked(live: Shop) -> None:
    said = await live.says()
    assert (said["version"], said["host"], said["scheme"]) == ("1", NGINX.host, "http")
    style = await get(NGINX, "/style.css")
    assert (style.status, style.headers["content-type"]) == (200, "text/css")


async def test_who_reaches_whom_is_as_it_is_drawn(live: Shop) -> None:
    """By name, and by each address, be it a container's or that which a name leads to."""
    addresses = {name: await live.inside.addresses(name) for name in DRAWN}
    assert {name: {key for key, _ in each} for name, each in addresses.items()} == DRAWN
    async with asyncio.TaskGroup() as group:
        for caller in DRAWN:
            group.create_task(reaches_as_drawn(live, caller, addresses))


async def reaches_as_drawn(
    shop: Shop, caller: str, addresses: dict[str, list[tuple[str, str]]]
) -> None:
    """From one of them to all, itself included."""
    places, wanted = [], []
    for service, port in PORTS.items():
        shared = DRAWN[caller] & DRAWN[service]
        answer = "refused" if service == "worker" else "reached"
        places.append((service, port))
        wanted.append(answer if shared else "nothing")
        for network, host in addresses[service]:
            places.append((host, port))
            wanted.append(answer if network in shared else "nothing")
    found = await shop.inside.reaches(caller, places)
    assert dict(zip(places, found, strict=True)) == dict(zip(places, wanted, strict=True)), caller


async def test_data_outlives_redeploys(live: Shop) -> None:
    number = (await get(NGINX, "/orders", "POST")).json["order"]
    kept = int(await live.query("SELECT count(*) FROM orders"))
    for services in (("db",), tuple(DRAWN)):
        before = await live.inside.ids(*DRAWN)
        await live.deployed(*services, trigger="redeploy")
        after = await live.inside.ids(*DRAWN)
        assert {name for name in DRAWN if after[name] != before[name]} == set(services)
        assert (await live.answers())["version"] == "1"
    await live.running.client.down({"project": live.project.name})
    with pytest.raises(RequestLost):
        await get(NGINX, "/")
    await live.deployed()
    said = (await get(NGINX, "/orders", "POST")).json
    assert said["order"] > number
    assert int(await live.query("SELECT count(*) FROM orders")) == kept + 1


async def test_nothing_is_lost_under_load(live: Shop, figures: FiguresRecorder) -> None:
    stateful, nginx = await live.inside.ids(*STATEFUL), await live.inside.ids("nginx")
    orders = int(await live.query("SELECT count(*) FROM orders"))
    versions = [(await live.says())["version"]]
    switched_at = [(time.monotonic(), versions[0])]
    took: list[float] = []
    async with live.load() as load:
        await load.has_sent(100)
        for step in range(DEPLOYS + ROLLBACKS):
            began = time.monotonic()
            if step < DEPLOYS:
                versions.append(live.bump())
                services = ["app"]
                if step == OF_NGINX_TOO:
                    with (live.project.root / "nginx.conf").open("a") as file:
                        file.write("# changed\n")
                    services = []
                run_id = await live.running.submit(live.project, services=services)
            else:
                versions.append(versions[DEPLOYS - 1 - (step - DEPLOYS)])
                run_id = await live.running.submit(live.project, "rollback", services=["app"])
            await live.running.until(run_id, "RoutesSwitched")
            switched_at.append((time.monotonic(), versions[-1]))
            result = await live.running.end(run_id)
            took.append(time.monotonic() - began)
            assert result["run"]["status"] == "succeeded", result["failureMessage"]
            assert int(await live.query(CONNECTIONS)) >= 4
        await load.has_sent(load.report().sent + 100)
    report = load.report()
    figures("Compose: deploys under load", DEPLOYS, "deploys")
    figures("Compose: rollbacks under load", ROLLBACKS, "rollbacks")
    figures("Compose: a deploy, median", sorted(took[:DEPLOYS])[DEPLOYS // 2], "s")
    figures("Compose: requests sent meanwhile", report.sent, "requests")
    figures("Compose: requests lost", len(report.lost), "requests", 0)
    figures("Compose: latency, p99", report.latency_s(0.99) * 1000, "ms")
    assert [str(loss) for loss in report.lost] == []
    assert set(report.versions) == set(versions)
    assert from_another_version(report, switched_at) == []
    assert await live.inside.ids(*STATEFUL) == stateful
    assert await live.inside.ids("nginx") != nginx
    written = sum(reply.request_class == "post" for reply in report.answered)
    assert int(await live.query("SELECT count(*) FROM orders")) == orders + written


CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"


def from_another_version(report: Report, switched_at: list[tuple[float, str]]) -> list[str]:
    """What started between two switches, and was answered by neither version."""
    ends = [*switched_at[1:], (float("inf"), switched_at[-1][1])]
    return [
        f"{reply.id} by {reply.version}"
        for (begin, version), (end, following) in zip(switched_at, ends, strict=True)
        for reply in report.answered
        # The next switch is there a moment before the test hears of it.
        if begin < reply.start.monotonic < end and reply.version not in (version, following)
    ]


async def test_what_does_not_start_changes_nothing(live: Shop) -> None:
    path = live.project.root / "nginx.conf"
    good, before = path.read_text(), await live.inside.ids(*DRAWN)
    path.write_text(f"{good}nonsense;\n")
    result = await live.running.run(live.project)
    assert result["run"]["status"] == "failed"
    assert 'unknown directive "nonsense"' in result["failureMessage"]
    path.write_text(good)
    assert await live.inside.ids(*DRAWN) == before
    assert (await get(NGINX, "/")).status == 200

    live.project.override("services: {db: {command: [postgres, -c, nonsense=1]}}\n")
    result = await live.running.run(live.project, services=["db"])
    live.project.options.clear()
    assert result["run"]["status"] == "failed"
    assert 'unrecognized configuration parameter "nonsense"' in result["failureMessage"]
    assert (await live.answers())["version"]
    await live.is_as_it_should_be()


@pytest.mark.parametrize("stage", ["building", "checking_readiness", "switching_route"])
async def test_agent_killed_in_a_deploy(live: Shop, stage: str) -> None:
    stateful = await live.inside.ids(*STATEFUL)
    before = (await live.says())["version"]
    async with live.load() as load:
        version = live.bump()
        run_id = await live.running.submit(live.project, services=["app"])
        await live.running.until(run_id, "StageChanged", promotionStage=stage)
        kill(await live.running.agent_pid())
        await live.running.client.attach()
        result = await live.running.end(run_id)
        await load.has_sent(load.report().sent + 50)
    report = load.report()
    assert [str(loss) for loss in report.lost] == []
    went_forward = result["run"]["status"] == "succeeded"
    if stage != "switching_route":
        assert not went_forward
    assert (await live.says())["version"] == (version if went_forward else before)
    assert set(report.versions) == {before, version} if went_forward else {before}
    assert await live.inside.ids(*STATEFUL) == stateful
    await live.is_as_it_should_be()


async def test_agent_killed_while_the_database_is_replaced(live: Shop) -> None:
    orders = await live.query("SELECT count(*) FROM orders")
    others = await live.inside.ids("nginx", "app", "worker", "redis")
    run_id = await live.running.submit(live.project, "redeploy", services=["db"])
    await live.running.until(run_id, "StoodAside")
    kill(await live.running.agent_pid())
    await live.running.client.attach()
    await live.running.end(run_id)
    await live.answers()
    assert await live.query("SELECT count(*) FROM orders") == orders
    assert await live.inside.ids("nginx", "app", "worker", "redis") == others
    await live.is_as_it_should_be()


async def test_everything_killed_at_once_comes_back(live: Shop) -> None:
    before = await live.says()
    orders = await live.query("SELECT count(*) FROM orders")
    running = live.running
    for pid in (await running.agent_pid(), running.gateway_pid(), *running.first_pids()):
        kill(pid)
    await running.client.attach()
    assert (await live.answers())["version"] == before["version"]
    assert await live.query("SELECT count(*) FROM orders") == orders
    await live.is_as_it_should_be()
    live.bump()
    await live.deployed("app")
