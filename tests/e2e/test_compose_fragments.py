"""The chapter's other Compose projects, on a real engine: each does what its file says."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, closing
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from core.engines.docker.labels import Role
from core.errors import CompartmentError
from tests.e2e.beyond import beyond_this_machine
from tests.e2e.clients import get
from tests.e2e.compose_project import ComposeProject, Inside, inspected, published
from tests.load.outcome import RequestLost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from tests.e2e.house import House, Json
    from tests.load.plan import Target

pytestmark = [
    pytest.mark.engines("docker"),
    pytest.mark.docker("nginx", "postgres", "redis", "python"),
    pytest.mark.timeout(120),
]

PATIENCE_S = 30.0


async def until(look: Callable[[], Awaitable[Any]], wanted: object) -> None:
    """Looks until it is as wanted."""
    found = None
    try:
        async with asyncio.timeout(PATIENCE_S):
            while (found := await look()) != wanted:
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"{found!r} instead of {wanted!r}") from None


async def active(running: House, project: ComposeProject, service: str) -> Json:
    """The live deployment of a service."""
    (found,) = (await running.active(project))[service]
    return found


async def test_the_first_example(running: House, tmp_path: Path, docker_socket: str) -> None:
    project = ComposeProject.made(tmp_path, "first")
    project.override('services: {gateway: {ports: !override ["127.0.0.1::80"]}}\n')
    await running.deployed(project)
    inside = Inside(docker_socket, running, project)
    gateway = await published(running, project, "gateway")
    assert b"<h1>Shop</h1>" in (await get(gateway, "/")).body
    assert (await get(gateway, "/auth/ada")).body.startswith(b"ada:")
    workers = {each["Config"]["Hostname"] for each in await inside.all("worker")}
    assert len(workers) == 3

    async def counted() -> set[str]:
        return set((await inside.run("redis", "redis-cli", "HKEYS", "rounds")).split())

    await until(counted, workers)
    await no_way_out(inside)


async def no_way_out(inside: Inside) -> None:
    """From `backend` neither another machine is reached nor the other network."""
    ((_, frontend),) = await inside.addresses("frontend", Role.INSTANCE)
    async with beyond_this_machine() as address:
        places = [(address, 8000), (frontend, 80)]
        callers = ("frontend", "gateway", "auth", "worker", "db")
        found = await asyncio.gather(*(inside.reaches(each, places) for each in callers))
    assert found == [["reached"] * 2] * 2 + [["nothing"] * 2] * 3


async def test_five_replicas_with_limits(
    running: House, tmp_path: Path, docker_socket: str
) -> None:
    project = ComposeProject.made(tmp_path, "replicas")
    await running.deployed(project)
    inside = Inside(docker_socket, running, project)
    replicas = await inside.all("worker")
    assert len({each["Config"]["Hostname"] for each in replicas}) == 5
    limits = [await inside.run_in(each["Id"], "sh", "-c", LIMITS) for each in replicas]
    assert limits == [f"50000 100000 {256 * 1024**2}"] * 5
    assert (await active(running, project, "worker"))["replicas"] == {"ready": 5, "desired": 5}


LIMITS = """cd /sys/fs/cgroup
if [ -e cpu.max ]; then echo $(cat cpu.max memory.max)
else echo $(cat cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us memory/memory.limit_in_bytes); fi"""


async def test_a_service_waits_for_the_health_of_another(
    running: House, tmp_path: Path, docker_socket: str
) -> None:
    project = ComposeProject.made(tmp_path, "health-order").override(LATE)
    inside = Inside(docker_socket, running, project)
    run_id = await running.submit(project)
    await running.until(run_id, "ReadinessPassed", serviceName="redis")
    await until(lambda: inside.count("db"), 1)
    assert await inside.count("app") == 0
    await inside.run("db", "touch", "/tmp/well")
    events = await running.events(run_id)
    assert (await running.client.run_result(run_id))["run"]["status"] == "succeeded"
    ((app,), (db,)) = [await inside.all(name) for name in ("app", "db")]
    (well,) = [
        each["timestamp"]
        for each in events
        if (each["type"], each["serviceName"]) == ("ReadinessPassed", "db")
    ]
    moments = [db["State"]["StartedAt"], well, app["State"]["StartedAt"]]
    assert moments == sorted(moments, key=datetime.fromisoformat)


LATE = """services:
  db:
    healthcheck:
      test: ["CMD-SHELL", "pg_isready -U myapp && test -e /tmp/well"]
"""


async def test_a_volume_of_two_services(running: House, tmp_path: Path, docker_socket: str) -> None:
    project = ComposeProject.made(tmp_path, "shared-volume")
    name = f"{project.name}-api"
    project.override(
        f'services: {{api: {{container_name: {name}, ports: !override ["127.0.0.1::8000"]}}}}\n'
    )
    await running.deployed(project)
    api = await published(running, project, "api")

    async def report() -> bytes:
        return (await get(api, "/report.txt")).body

    await until(report, b"by the worker\n")
    inside = Inside(docker_socket, running, project)
    (first,) = await inside.all("api")
    statuses: set[int] = set()
    async with asked_all_the_time(lambda: get(api, "/report.txt"), statuses):
        await running.deployed(project, "redeploy", services=["api"])
    assert statuses == {200}
    (second,) = await inside.all("api")
    assert second["Id"] != first["Id"]
    assert (first["Name"], second["Name"]) == (f"/{name}", f"/{name}")


@asynccontextmanager
async def asked_all_the_time(
    ask: Callable[[], Awaitable[Any]], statuses: set[int]
) -> AsyncIterator[None]:
    """One request after the other; -1 is one that was lost."""

    async def go_on() -> None:
        while True:
            try:
                statuses.add((await ask()).status)
            except RequestLost:
                statuses.add(-1)

    async with asyncio.TaskGroup() as group:
        asking = group.create_task(go_on())
        yield
        asking.cancel()


async def test_the_source_is_mounted(running: House, tmp_path: Path) -> None:
    project = ComposeProject.made(tmp_path, "bind-mount")
    project.override('services: {app: {ports: !override ["127.0.0.1::8000"]}}\n')
    await running.deployed(project)
    app = await published(running, project, "app")
    assert (await get(app, "/page.txt")).body == b"from the source\n"
    assert (await get(app, "/node_modules/origin.txt")).body == b"from the image\n"
    (project.root / "page.txt").write_text("edited")
    assert (await get(app, "/page.txt")).body == b"edited"
    # Two of it may run at once: nothing that is to be kept is in that anonymous volume.
    assert (await inspected(running, project, "app"))["strategy"] == "overlap"


async def test_files_for_development_and_production(
    running: House, tmp_path: Path, docker_socket: str
) -> None:
    project = ComposeProject.made(tmp_path, "dev-prod")
    base, dev, prod = (f"docker-compose{name}.yml" for name in ("", ".dev", ".prod"))
    (project.root / "any-port.yml").write_text(
        'services: {web: {ports: !override ["127.0.0.1::8000"]}}\n'
    )
    await running.deployed(project.of_files(base, prod, "any-port.yml"))
    web = await published(running, project, "web")
    assert (await get(web, "/")).body == b"production"
    inside = Inside(docker_socket, running, project)
    replicas = await inside.all("web")
    assert len(replicas) == 2
    assert {each["HostConfig"]["RestartPolicy"]["Name"] for each in replicas} == {"unless-stopped"}

    (project.root / "any-port.yml").write_text(ANY_PORTS)
    project.of_files(base, dev, "any-port.yml")
    await running.deployed(project, environment="development")
    other = await published(running, project, "web", environment="development")
    assert other.port != web.port
    assert (await get(other, "/")).body == b"development"
    assert (await get(web, "/")).body == b"production"

    taken = f'services: {{web: {{ports: !override ["127.0.0.1:{web.port}:8000"]}}}}\n'
    (project.root / "any-port.yml").write_text(taken)
    project.of_files(base, prod, "any-port.yml")
    with pytest.raises(CompartmentError) as caught:
        await running.run(project, environment="staging")
    assert str(caught.value) == (
        f"web publishes port {web.port}, which web of {project.name}/production has"
    )


ANY_PORTS = """services:
  web: {ports: !override ["127.0.0.1::8000"]}
  db: {ports: !override ["127.0.0.1::5432"]}
"""

MIGRATED = """services:
  app:
    image: python:3.12-slim
    command: python -u -m http.server 8000 --directory /data
    stop_signal: SIGINT
    ports: ["127.0.0.1::8000"]
    environment: {STEP: "%(step)s"}
    volumes: [data:/data]
    depends_on:
      migrate: {condition: service_completed_successfully}
  migrate:
    image: python:3.12-slim
    command: sh -c "%(command)s"
    volumes: [data:/data]
volumes:
  data:
"""


async def test_a_migration_comes_first(running: House, tmp_path: Path, docker_socket: str) -> None:
    good = {"step": "1", "command": "sleep 1; echo 1 > /data/migrated"}
    project = ComposeProject.written(tmp_path, "migrated", MIGRATED % good)
    await running.deployed(project)
    app = await published(running, project, "app")
    assert (await get(app, "/migrated")).body == b"1\n"
    inside = Inside(docker_socket, running, project)
    assert await inside.count("migrate") == 0
    services = await running.status(project)
    assert {each["status"] for each in services.values()} == {"succeeded"}

    before = await active(running, project, "app")
    bad = {"step": "2", "command": "echo no such column; exit 3"}
    (project.root / "docker-compose.yml").write_text(MIGRATED % bad)
    result = await running.run(project)
    assert result["run"]["status"] == "failed"
    assert "migrate" in result["failureMessage"]
    assert "3" in result["failureMessage"]
    assert (await active(running, project, "app"))["id"] == before["id"]
    assert (await get(app, "/migrated")).body == b"1\n"


TALKING = """services:
  line:
    image: python:3.12-slim
    command: ["python", "-u", "/line.py", "%(version)s"]
    stop_signal: SIGINT
    ports: ["127.0.0.1::7000"]
    volumes: ["./line.py:/line.py:ro"]
"""

LINE = """
import socketserver, sys

class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(sys.argv[1].encode() + b" " + line)

class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 100

Server(("", 7000), Handler).serve_forever()
"""


async def test_connections_survive_a_switch(running: House, tmp_path: Path) -> None:
    project = ComposeProject.written(tmp_path, "line", TALKING % {"version": "v1"})
    (project.root / "line.py").write_text(LINE)
    await running.deployed(project)
    assert (await active(running, project, "line"))["kind"] == "tcp"
    at = await published(running, project, "line")
    replies: list[str] = []

    async def ask() -> None:
        while True:
            async with line_to(at) as say:
                replies.append(await say())

    async with asyncio.TaskGroup() as group:
        async with line_to(at) as old:
            assert await old() == "v1 hello"
            (project.root / "docker-compose.yml").write_text(TALKING % {"version": "v2"})
            asking = group.create_task(ask())
            run_id = await running.submit(project)
            await running.until(run_id, "RoutesSwitched")
            switched = len(replies)
            await until(lambda: at_least(replies, switched + 20), wanted=True)
            assert await old() == "v1 hello"
        assert (await running.end(run_id))["run"]["status"] == "succeeded"
        asking.cancel()
    first = replies.index("v2 hello")
    assert set(replies[:first]) == {"v1 hello"}
    # One may have been on its way when the switch was told of.
    assert set(replies[max(first, switched + 1) :]) == {"v2 hello"}


async def at_least(replies: list[str], count: int) -> bool:
    return len(replies) >= count


@asynccontextmanager
async def line_to(at: Target) -> AsyncIterator[Callable[[], Awaitable[str]]]:
    """A connection; yields what asks for an answer on it."""
    reader, writer = await asyncio.open_connection(at.address, at.port)

    async def say() -> str:
        async with asyncio.timeout(PATIENCE_S):
            writer.write(b"hello\n")
            return (await reader.readline()).decode().strip()

    with closing(writer):
        yield say
