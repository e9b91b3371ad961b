"""What the fields of a service mean on a real Docker Engine."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from core.engines.docker.labels import Role, home_id, only
from core.errors import Conflict
from tests.e2e.clients import get
from tests.e2e.small_project import SmallProject
from tests.engine.client import connected

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.house import House, Json
    from tests.figures import FiguresRecorder

pytestmark = [pytest.mark.engines("docker"), pytest.mark.timeout(120)]

HOST = "small.localhost"


@pytest.fixture
def small(running: House, tmp_path: Path) -> SmallProject:
    """A project of the small application, without services yet."""
    return SmallProject.made(tmp_path)


async def about(running: House, path: str = "/") -> Json:
    """What the live version of `web` says of itself."""
    reply = await get(await running.target(HOST), path)
    assert reply.status == 200
    found: Json = reply.json
    return found


def containers(running: House, socket: str, service: str = "web") -> list[Json]:
    """The containers of the instances of a service, whatever their state, as inspected."""
    with connected(socket) as engine:
        filters = only(home_id(running.home), Role.INSTANCE, **{"compartment.service": service})
        listed = engine.containers(all=True, filters=filters)
        return [engine.inspect_container(each["Id"]) for each in listed]


async def seen(running: House, wanted: Callable[[Json], bool]) -> Json:
    """The `web` service as a dashboard sees it, once it is as wanted."""
    web: Json = {}
    try:
        async with (
            asyncio.timeout(60),
            aclosing(running.client.watch({"project": "small"})) as all_,
        ):
            async for update in all_:
                web = update.get("services", {}).get("web", web)
                live: Json | None = web.get("live")
                if live and wanted(live):
                    return live
    except TimeoutError:
        pass
    raise AssertionError(web)


async def lines(running: House, deployment: Json) -> list[str]:
    """All that a deployment has logged."""
    query = {"project": "small", "deployment": deployment["id"], "tail": 1000}
    return [line["message"] async for line in running.client.logs(query)]


def stage_time(events: list[Json], stage: str) -> float:
    """When a run of one service reached a stage, in seconds since the epoch."""
    (found,) = [each for each in events if each.get("promotionStage") == stage]
    return datetime.fromisoformat(found["timestamp"]).timestamp()


async def all_serve(running: House, replicas: int) -> None:
    """Waits until the gateway has found all of them well: one that listens last, after a moment."""
    async with asyncio.timeout(60):
        seen: set[str] = set()
        while len(seen) < replicas:
            seen.add((await about(running))["host"])


async def test_replicas_are_switched_together_and_all_of_them_serve(
    running: House, small: SmallProject, docker_socket: str, figures: FiguresRecorder
) -> None:
    # Their addresses follow each other: one listens at once, the others after 1 and 2 s.
    small.write(web={"replicas": 3, "run": {"command": "BOOT_S=1 exec python3 server.py"}})
    await running.deployed(small)
    target = await running.target(HOST)
    await all_serve(running, 3)
    old = Counter([(await about(running))["host"] for _ in range(60)])
    assert len(old) == 3
    assert min(old.values()) >= 10
    small.bump()
    async with asyncio.TaskGroup() as group:
        slow = [group.create_task(get(target, "/slow/2")) for _ in range(12)]
        run_id = await running.submit(small)
        # Asked when the last of the candidates has just begun to listen.
        await running.until(run_id, "StageChanged", promotionStage="draining_previous")
        late = [group.create_task(get(target, "/slow/0.2")) for _ in range(12)]
    result = await running.end(run_id)
    assert result["run"]["status"] == "succeeded"
    assert result["run"]["cutRequests"] == 0
    finished = [task.result().json for task in slow]
    assert {each["version"] for each in finished} == {"v1"}
    assert {each["host"] for each in finished} == set(old)
    new = [await about(running) for _ in range(60)] + [task.result().json for task in late]
    assert {each["version"] for each in new} == {"v2"}
    assert len({each["host"] for each in new}) == 3
    switched_at = stage_time(await running.events(run_id), "switching_route")
    waited_s = switched_at - max(each["listening"] for each in new)
    figures("switch after the last of 3 replicas listens", waited_s * 1000, "ms", 1000)
    assert waited_s > 0
    hosts = {each["Config"]["Hostname"] for each in containers(running, docker_socket)}
    assert hosts == {each["host"] for each in new}
    (active,) = (await running.active(small))["web"]
    assert active["replicas"] == {"ready": 3, "desired": 3}


async def test_the_number_of_replicas_can_change(
    running: House, small: SmallProject, docker_socket: str
) -> None:
    for replicas in (1, 3, 2, 1):
        small.write(web={"replicas": replicas})
        await running.deployed(small)
        assert len(containers(running, docker_socket)) == replicas
    await running.deployed(small, "rollback")
    assert len(containers(running, docker_socket)) == 2
    assert len({(await about(running))["host"] for _ in range(20)}) == 2


async def test_one_of_three_replicas_fails_and_none_is_left(
    running: House, small: SmallProject, docker_socket: str
) -> None:
    small.write(web={})
    await running.deployed(small)
    before = containers(running, docker_socket)[0]["Id"]
    one = "test $(($(hostname -i | cut -d. -f4) % 3)) = 0 && exit 5; exec python3 server.py"
    small.write(web={"replicas": 3, "run": {"command": one}})
    result = await running.run(small)
    assert "exited with code 5" in result["failureMessage"]
    assert [each["Id"] for each in containers(running, docker_socket)] == [before]


async def test_limits(running: House, small: SmallProject, docker_socket: str) -> None:
    small.write(web={"limits": {"cpus": 0.5, "memory": "96M"}})
    await running.deployed(small)
    (found,) = containers(running, docker_socket)
    assert found["HostConfig"]["NanoCpus"] == 500_000_000
    assert found["HostConfig"]["Memory"] == 96 * 1024**2
    assert found["HostConfig"]["MemorySwap"] == 96 * 1024**2


async def crash(running: House) -> None:
    """Ends an instance of `web` from the inside."""
    with pytest.raises(AssertionError):
        await about(running, "/crash")


async def test_it_is_restarted_after_a_crash_and_that_is_counted(
    running: House, small: SmallProject, docker_socket: str
) -> None:
    small.write(web={})
    await running.deployed(small)
    first = (await seen(running, lambda web: web["health"] == "healthy"))["address"]
    for restarts in (1, 2):
        await crash(running)
        live = await seen(running, lambda web, n=restarts: web["restarts"] == n)  # type: ignore[misc]
        assert live["address"] == first
        await seen(running, lambda web: web["health"] == "healthy")
        async with asyncio.timeout(60):
            while (await get(await running.target(HOST), "/")).status != 200:
                await asyncio.sleep(0.05)
    (found,) = containers(running, docker_socket)
    assert found["RestartCount"] == 2
    # What is counted is that of what is live.
    await running.deployed(small, "redeploy")
    await seen(running, lambda web: web["restarts"] == 0)


@pytest.mark.parametrize("restart", [{"policy": "no"}, {"policy": "on-failure", "maxRetries": 1}])
async def test_one_that_is_not_restarted_any_more_is_unhealthy(
    running: House, small: SmallProject, restart: Json
) -> None:
    small.write(web={"run": {"restart": restart}})
    result = await running.deployed(small)
    await crash(running)
    if "maxRetries" in restart:
        await seen(running, lambda web: web["restarts"] == 1)
        async with asyncio.timeout(60):
            while (await get(await running.target(HOST), "/")).status != 200:
                await asyncio.sleep(0.05)
        await crash(running)
    await seen(running, lambda web: web["health"] == "unhealthy")
    await seen(running, lambda web: web["replicas"] == {"ready": 0, "desired": 1})
    (deployment,) = result["deployments"]
    await why_unhealthy(running, deployment, "exited with code 3 and is not restarted")
    # The next deploy puts it right.
    await running.deployed(small, "redeploy")
    await seen(running, lambda web: web["health"] == "healthy")
    assert (await about(running))["version"] == "v1"


async def why_unhealthy(running: House, deployment: Json, reason: str) -> None:
    """Waits for the event that tells so."""
    async with asyncio.timeout(60):
        async for event in running.client.events():
            is_its = event["type"] == "HealthChanged" and event["deploymentId"] == deployment["id"]
            if is_its and reason in event["message"]:
                return
    raise AssertionError


async def test_a_dockerfile_names_its_command_and_its_port(
    running: House, small: SmallProject
) -> None:
    small.dockerfile("ENV COLOUR=blue")
    small.write(web={})
    result = await running.deployed(small)
    environment = (await about(running))["environment"]
    assert environment["PORT"] == "8000"
    assert environment["COLOUR"] == "blue"
    (deployment,) = result["deployments"]
    assert "listens on 8000" in await lines(running, deployment)
    # The project file has the last word.
    small.write(web={"port": 8123})
    await running.deployed(small)
    assert (await about(running))["environment"]["PORT"] == "8123"


@pytest.mark.timeout(120)  # packages are fetched
async def test_packages_and_a_dockerfile_that_is_not_wanted(
    running: House, small: SmallProject
) -> None:
    small.dockerfile("RUN exit 9")
    small.write(
        web={
            "build": {"strategy": "railpack", "packages": {"runtime": ["tini"]}},
            "run": {"command": "exec tini -- python3 server.py"},
        }
    )
    result = await running.run(small)
    for _ in range(3):
        if "Temporary failure resolving" not in (result["failureMessage"] or ""):
            break
        result = await running.run(small)  # the mirror of the packages was away for a moment
    assert result["run"]["status"] == "succeeded", result["failureMessage"]
    assert (await about(running))["environment"]["PORT"] == "3000"
    (deployment,) = result["deployments"]
    assert any("in place of Railpack" in line for line in await lines(running, deployment))
    # With what it has of its own it cannot be built.
    small.write(web={})
    assert "RUN exit 9" in (await running.run(small))["failureMessage"]


async def test_it_gets_the_signal_that_its_image_names(running: House, small: SmallProject) -> None:
    small.dockerfile("STOPSIGNAL SIGUSR1")
    small.write(web={})
    (first,) = (await running.deployed(small))["deployments"]
    await running.deployed(small, "redeploy")
    said = await lines(running, first)
    assert "got SIGUSR1" in said
    assert "got SIGTERM" not in said


async def test_one_that_does_not_want_to_stop_is_killed_after_the_grace(
    running: House, small: SmallProject, docker_socket: str
) -> None:
    small.write(web={"run": {"command": "STUBBORN=1 exec python3 server.py"}})
    (first,) = (await running.deployed(small))["deployments"]
    began = time.monotonic()
    small.write(web={"run": {"command": "exec python3 server.py"}})
    await running.deployed(small)
    assert 9.5 < time.monotonic() - began < 60
    assert "got SIGTERM" in await lines(running, first)
    assert len(containers(running, docker_socket)) == 1


async def test_a_worker(running: House, small: SmallProject, docker_socket: str) -> None:
    (small.root / "app" / "work.py").write_text(
        "import time, pathlib\n"
        "print('works', pathlib.Path('VERSION').read_text(), flush=True)\n"
        "time.sleep(3600)\n"
    )
    command = {"command": "exec python3 work.py"}
    small.write(work={"kind": "worker", "readiness": None, "run": command})
    (first,) = (await running.deployed(small))["deployments"]
    small.bump()
    (second,) = (await running.deployed(small))["deployments"]
    (found,) = containers(running, docker_socket, "work")
    assert found["State"]["Running"]
    for number, each in enumerate((first, second), 1):
        said = await lines(running, each)
        assert [line for line in said if line.startswith("works")] == [f"works v{number}"]
    await running.deployed(small, "rollback")
    (found,) = containers(running, docker_socket, "work")
    assert found["State"]["Running"]
    assert (await running.active(small))["work"][0]["id"] == first["id"]


async def test_what_a_project_no_longer_has_runs_on_until_it_is_taken_down(
    running: House, small: SmallProject, docker_socket: str
) -> None:
    small.write(web={}, more={"kind": "api"}, extra={"kind": "api"})
    await running.deployed(small)
    del small.services["more"]
    small.write()
    small.bump()
    await running.deployed(small)
    assert len(containers(running, docker_socket, "more")) == 1
    told = await running.client.down({"project": "small", "services": ["more"]})
    assert told["stopped"] == ["more"]
    assert containers(running, docker_socket, "more") == []
    assert sorted(await running.active(small)) == ["extra", "web"]
    assert (await about(running))["version"] == "v2"
    await running.client.down({"project": "small"})
    with connected(docker_socket) as engine:
        label = {"label": [f"compartment.home={home_id(running.home)}"]}
        assert engine.containers(all=True, filters=label) == []
        assert engine.networks(filters=label) == []


async def test_a_rollback_without_its_image_is_refused_before_anything_changes(
    running: House, small: SmallProject, docker_socket: str
) -> None:
    small.write(web={}, api={"kind": "api"})
    await running.deployed(small)
    (image,) = {each["Image"] for each in containers(running, docker_socket)}
    small.bump()
    await running.deployed(small)
    before = containers(running, docker_socket)[0]["Id"]
    with connected(docker_socket) as engine:
        # Without what it was built on: the agent may be removing that by itself just now.
        engine.remove_image(image, force=True, noprune=True)
    runs = (await running.client.runs({"project": "small", "limit": 10}))["runs"]
    with pytest.raises(Conflict, match="is gone"):
        await running.run(small, "rollback")
    assert (await running.client.runs({"project": "small", "limit": 10}))["runs"] == runs
    assert [each["Id"] for each in containers(running, docker_socket)] == [before]
    assert (await about(running))["version"] == "v2"
    # The next deploy of the same content builds it again.
    (small.root / "app" / "VERSION").write_text("v1\n")
    await running.deployed(small)
    assert (await about(running))["version"] == "v1"
