"""Executions on the engines themselves: real processes and containers, in process of the test."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest

from core.engines.base import Owner
from core.engines.docker import labels
from core.engines.docker.connection import Docker
from core.engines.docker.endpoint import Mode
from core.engines.docker.engine import DockerEngine
from core.engines.docker.labels import home_id
from core.engines.process.engine import ProcessEngine
from core.errors import Conflict
from core.files import Home
from core.journal import Journal
from core.logs.writer import CompartmentLog
from core.model import ExecutionStatus, ExecutionTrigger, Health, ServiceKind, Stream
from core.promotion.executions import new_execution
from core.promotion.ledger import Ledger
from core.promotion.parts import Parts
from core.promotion.recovery import tidy
from core.promotion.routing import Router
from core.promotion.states import Move, move
from tests.engine import leftovers
from tests.engine.client import connected
from tests.one_engine import one_engine
from tests.promotion.works import LIMIT_S, Works, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from core.engines.base import Engine
    from core.records import Execution


@asynccontextmanager
async def agent(home: Path, root: Path, socket: str | None = None) -> AsyncIterator[Works]:
    """What an agent has; when the block ends it is gone, and what it started goes on.

    On Docker, where the socket is given.
    """
    where = Home(home)
    where.create()
    journal = Journal(where.journal)
    await journal.open()
    log = CompartmentLog(where.logs)
    ledger = Ledger(journal, log)
    await ledger.load()
    nothing = cast("Any", None)
    async with asyncio.TaskGroup() as tasks:
        engine: Engine = ProcessEngine(where, tasks)
        if socket is not None:
            engine = DockerEngine(where, Docker(socket), Mode.DIRECT, tasks, _no_secrets)
        await engine.open()
        engines = one_engine(engine)
        router = Router(ledger, nothing, engines)
        parts = Parts(where, ledger, router, engines, nothing, asyncio.Semaphore(1))
        try:
            yield Works(parts, engine, root)
        finally:
            await engine.close()
            log.close()
            await journal.close()


async def _no_secrets(_deployment_id: str) -> tuple[str, ...]:
    return ()


@pytest.fixture
async def works(home: Path, tmp_path: Path) -> AsyncIterator[Works]:
    async with agent(home, tmp_path) as found:
        try:
            yield found
        finally:
            for name in await found.engine.instances():
                await found.engine.stop(name, grace_s=0)


async def test_one_that_succeeds(works: Works) -> None:
    ended = await works.run("echo hello; echo $COMPARTMENT_EXECUTION; echo oops >&2")
    assert (ended.status, ended.exit_code, ended.message) == (ExecutionStatus.SUCCEEDED, 0, None)
    assert sorted(works.output(ended)) == sorted(["hello", ended.id, "oops"])
    assert await works.parts.ledger.journal.execution(ended.id) == ended
    assert works.parts.ledger.executions == {}
    assert await works.is_removed(ended)
    begun, end = works.output(ended, Stream.COMPARTMENT)[0], ended.id
    assert begun == f"execution {end} started by hand"


async def test_one_that_fails_says_how_and_makes_its_deployment_unhealthy(works: Works) -> None:
    failed = await works.run("exit 3")
    assert (failed.status, failed.exit_code) == (ExecutionStatus.FAILED, 3)
    assert failed.message == "exited with code 3"
    found = works.parts.ledger.deployments[failed.deployment_id]
    assert (found.health, found.health_reason) == (
        Health.UNHEALTHY,
        "its last execution exited with code 3",
    )


async def test_health_follows_the_last_execution(works: Works) -> None:
    flag = works._root / "flag"
    found = await works.deployed(f"test -e {flag}")
    run = works.executions.run
    failed = await run(found, ExecutionTrigger.SCHEDULE)
    assert works.health(failed) is Health.UNHEALTHY
    flag.touch()
    succeeded = await run(found, ExecutionTrigger.SCHEDULE)
    assert works.health(succeeded) is Health.HEALTHY
    assert works.parts.ledger.deployments[found.id].health_reason is None
    events = await works.parts.ledger.journal.events_after(0)
    told = [event.message for event in events if event.type == "HealthChanged"]
    assert told == [
        "unhealthy: its last execution exited with code 1",
        "healthy: its last execution succeeded",
    ]


async def test_one_that_hangs_is_ended_at_its_limit_though_it_ignores_sigterm(
    works: Works,
) -> None:
    object.__setattr__(works.parts, "stop_grace_s", 0.3)
    ended = await works.run("trap '' TERM; while :; do sleep 0.1; done", time_limit_ms=500)
    assert ended.status is ExecutionStatus.FAILED
    assert ended.message == "ended at its time limit of 500 ms"
    assert await works.is_removed(ended)


async def test_one_that_is_killed_by_somebody_else(works: Works) -> None:
    found = await works.deployed("echo pid=$$; exec sleep 600")
    execution = new_execution(found, ExecutionTrigger.MANUAL)
    await works.executions.begin(execution)
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(works.executions.finish(execution))
        await until(lambda: bool(works.output(execution)))
        (line,) = works.output(execution)
        os.kill(int(line.removeprefix("pid=")), signal.SIGKILL)
    ended = running.result()
    assert ended.message == "ended by signal 9 (SIGKILL)"
    assert (ended.status, ended.exit_code) == (ExecutionStatus.FAILED, None)


async def test_one_that_could_not_be_ended_is_ended_by_whoever_still_wants_it_to(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = works.engine.stop
    refused: list[str] = []

    async def refuse_once(name: str, *, grace_s: float) -> None:
        if not refused:
            refused.append(name)
            raise OSError(24, "Too many open files")
        await stop(name, grace_s=grace_s)

    monkeypatch.setattr(works.engine, "stop", refuse_once)
    execution = new_execution(await works.deployed("exec sleep 600"), ExecutionTrigger.MANUAL)
    await works.executions.begin(execution)
    async with asyncio.timeout(LIMIT_S):
        running = asyncio.create_task(works.executions.finish(execution))
        await works.executions.cancel(execution.id, "by a test")
        with pytest.raises(OSError, match="Too many open files"):
            await running
    assert refused == [execution.id]
    assert works.parts.ledger.executions == {}
    assert await works.is_removed(execution)


async def test_none_begins_once_its_service_was_taken_down(works: Works) -> None:
    found = await works.deployed("true")
    ledger = works.parts.ledger
    execution = new_execution(found, ExecutionTrigger.SCHEDULE)
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(ledger.write(move(found, Move.STOP)))
        await asyncio.sleep(0)
        with pytest.raises(Conflict, match="taken down"):
            await works.executions.begin(execution)
    assert ledger.executions == {}


async def test_nothing_is_left_of_one_whose_deployment_becomes_the_past_as_it_ends(
    works: Works,
) -> None:
    found = await works.deployed("true")
    ledger = works.parts.ledger
    execution = new_execution(found, ExecutionTrigger.MANUAL)
    await works.executions.begin(execution)
    await ledger.write(move(found, Move.SUPERSEDE))

    async def forget() -> None:
        while execution.id in ledger.executions:
            await ledger.wait_change()
        ledger.forget_past()
        assert found.id not in ledger.deployments

    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(forget())
        ended = await works.executions.finish(execution)
    assert ended.status is ExecutionStatus.SUCCEEDED
    assert await works.is_removed(ended)


async def test_one_that_cannot_be_started(works: Works) -> None:
    found = await works.deployed("exit 0")
    gone = found.changed(artifact_id="rel_gone")
    await works.parts.ledger.write(gone)
    ended = await works.executions.run(gone, ExecutionTrigger.MANUAL)
    assert ended.status is ExecutionStatus.FAILED
    assert ended.message == "could not be started: the artifact rel_gone is gone"


async def test_cancelled(works: Works) -> None:
    found = await works.deployed("trap 'echo bye; exit 0' TERM; echo up; sleep 600 & wait")
    execution = new_execution(found, ExecutionTrigger.SCHEDULE)
    await works.executions.begin(execution)
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(works.executions.finish(execution))
        await works.printed(execution, "up")
        await works.executions.cancel(execution.id, "replaced by the next one")
    ended = running.result()
    assert ended.status is ExecutionStatus.CANCELLED
    assert ended.message == "replaced by the next one"
    assert works.output(ended) == ["up", "bye"]
    assert works.health(ended) is Health.HEALTHY
    await works.executions.cancel(execution.id, "it is over: nothing happens")


async def test_cancelled_before_it_was_started(works: Works) -> None:
    found = await works.deployed("sleep 600")
    execution = new_execution(found, ExecutionTrigger.MANUAL)
    await works.executions.begin(execution)
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(works.executions.finish(execution))
        while not works.executions.is_followed(execution.id):
            await asyncio.sleep(0)
        await works.executions.cancel(execution.id, "cancelled")
    assert running.result().status is ExecutionStatus.CANCELLED
    assert await works.is_removed(execution)


async def test_one_of_a_run_that_goes_back_is_ended_with_it(works: Works) -> None:
    found = await works.deployed("echo up; sleep 600", kind=ServiceKind.JOB)
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(works.executions.run(found, ExecutionTrigger.DEPLOY))
        await until(lambda: bool(works.parts.ledger.executions))
        (execution,) = works.parts.ledger.executions.values()
        await works.printed(execution, "up")
        running.cancel()
    kept = await works.parts.ledger.journal.execution(execution.id)
    assert kept is not None
    assert (kept.status, kept.message) == (
        ExecutionStatus.CANCELLED,
        "its run went back",
    )
    assert await works.is_removed(execution)


async def begun(works: Works, command: str, trigger: ExecutionTrigger) -> Execution:
    """One that runs, and whose agent goes away."""
    found = await works.deployed(command, kind=ServiceKind.CRON)
    execution = new_execution(found, trigger)
    await works.executions.begin(execution)
    task = asyncio.create_task(works.executions.finish(execution))
    await works.printed(execution, "up")
    task.cancel()
    await asyncio.wait([task])
    if trigger is ExecutionTrigger.DEPLOY:
        # An agent that is killed leaves it as it was.
        await works.parts.ledger.write(execution)
    return execution


async def test_it_outlives_its_agent_and_is_taken_up_by_the_next(
    home: Path, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    command = f"echo up; while ! test -e {go}; do sleep 0.05; done; echo done; exit 4"
    async with agent(home, tmp_path) as works:
        execution = await begun(works, command, ExecutionTrigger.SCHEDULE)
    async with agent(home, tmp_path) as works, asyncio.timeout(LIMIT_S):
        assert works.parts.ledger.executions == {execution.id: execution}
        await tidy(works.parts)
        go.touch()
        ended = await works.executions.resume(execution)
        assert (ended.status, ended.exit_code) == (ExecutionStatus.FAILED, 4)
        assert works.output(ended) == ["up", "done"]
        assert await works.is_removed(ended)


async def test_how_it_ended_while_no_agent_ran_is_known(home: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    command = f"echo up; while ! test -e {go}; do sleep 0.05; done"
    async with agent(home, tmp_path) as works:
        execution = await begun(works, command, ExecutionTrigger.MANUAL)
    go.touch()
    await until(Home(home).instances.joinpath(execution.id, "exit.json").exists)
    async with agent(home, tmp_path) as works:
        ended = await works.executions.resume(execution)
        assert (ended.status, ended.exit_code) == (ExecutionStatus.SUCCEEDED, 0)


async def test_an_end_that_nobody_has_seen(works: Works) -> None:
    found = await works.deployed("exit 0")
    lost = new_execution(found, ExecutionTrigger.SCHEDULE)
    await works.executions.begin(lost)
    ended = await works.executions.resume(lost)
    assert (ended.status, ended.message) == (ExecutionStatus.FAILED, "its end was not seen")


async def test_the_limit_counts_from_its_start_whichever_agent_waits(
    home: Path, tmp_path: Path
) -> None:
    async with agent(home, tmp_path) as works:
        execution = await begun(works, "echo up; sleep 600", ExecutionTrigger.MANUAL)
    async with agent(home, tmp_path) as works, asyncio.timeout(LIMIT_S):
        long_ago = execution.changed(started_at="2020-01-01T00:00:00.000000Z")
        ended = await works.executions.resume(long_ago)
        assert ended.message == "ended at its time limit of 1 h"
        assert await works.is_removed(ended)


async def test_one_of_an_unfinished_run_is_ended_by_the_next_agent(
    home: Path, tmp_path: Path
) -> None:
    async with agent(home, tmp_path) as works:
        execution = await begun(works, "echo up; sleep 600", ExecutionTrigger.SCHEDULE)
    async with agent(home, tmp_path) as works, asyncio.timeout(LIMIT_S):
        of_a_run = execution.changed(trigger=ExecutionTrigger.DEPLOY)
        ended = await works.executions.resume(of_a_run)
        assert ended.status is ExecutionStatus.CANCELLED
        assert await works.is_removed(ended)


async def test_the_output_of_the_newest_is_kept(works: Works) -> None:
    found = await works.deployed("echo $COMPARTMENT_EXECUTION")
    folder = works.parts.home.logs / found.id
    folder.mkdir(parents=True)
    for number in range(30):
        log = folder / f"exe_old{number:02}.log"
        log.touch()
        log.with_name(f"{log.name}.1").touch()
        os.utime(log, (number, number))
    quiet = new_execution(found, ExecutionTrigger.MANUAL).changed(id="exe_old00")
    await works.parts.ledger.write(quiet)
    ended = await works.executions.run(found, ExecutionTrigger.MANUAL)
    kept = sorted(log.name for log in folder.glob("exe_*.log"))
    newest = [f"{ended.id}.log", *(f"exe_old{number:02}.log" for number in range(11, 30))]
    assert kept == sorted(["exe_old00.log", *newest])
    assert len(list(folder.glob("exe_*.log.1"))) == 20


@pytest.fixture
def docker_of_this_home(docker_socket: str, home: Path) -> Iterator[str]:
    """The engine, on which nothing of this home is left."""
    yield docker_socket
    with connected(docker_socket) as engine:
        leftovers.remove(engine, home_id(Home(home)))


@pytest.mark.docker
@pytest.mark.timeout(120)
async def test_a_container_that_succeeds_fails_or_hangs(
    home: Path, tmp_path: Path, docker_of_this_home: str
) -> None:
    async with agent(home, tmp_path, docker_of_this_home) as works:
        object.__setattr__(works.parts, "stop_grace_s", 1.0)
        ended = await works.run("echo $COMPARTMENT_EXECUTION; echo oops >&2")
        assert (ended.status, ended.exit_code) == (ExecutionStatus.SUCCEEDED, 0)
        assert sorted(works.output(ended)) == sorted([ended.id, "oops"])
        assert await works.is_removed(ended)
        failed = await works.run("exit 3")
        assert (failed.exit_code, failed.message) == (3, "exited with code 3")
        hung = await works.run("trap '' TERM; while :; do sleep 0.1; done", time_limit_ms=1000)
        assert hung.message == "ended at its time limit of 1 s"
        assert await works.is_removed(hung)


@pytest.mark.docker
@pytest.mark.timeout(120)
async def test_a_container_outlives_its_agent_and_is_taken_up_by_the_next(
    home: Path, tmp_path: Path, docker_of_this_home: str
) -> None:
    async with agent(home, tmp_path, docker_of_this_home) as works:
        execution = await begun(works, "echo up; sleep 2; exit 4", ExecutionTrigger.SCHEDULE)
    async with agent(home, tmp_path, docker_of_this_home) as works, asyncio.timeout(LIMIT_S):
        await tidy(works.parts)
        ended = await works.executions.resume(execution)
        assert (ended.status, ended.exit_code) == (ExecutionStatus.FAILED, 4)
        assert await works.is_removed(ended)


@pytest.mark.docker
@pytest.mark.timeout(120)
async def test_a_container_that_was_made_but_not_started_has_not_succeeded(
    home: Path, tmp_path: Path, docker_of_this_home: str
) -> None:
    async with agent(home, tmp_path, docker_of_this_home) as works:
        found = await works.deployed("exit 0")
        lost = new_execution(found, ExecutionTrigger.MANUAL)
        await works.executions.begin(lost)
        made_for = Owner(found.target, found.service.name, found.id)
        described = {
            **labels.of_owner(home_id(Home(home)), labels.Role.INSTANCE, made_for),
            labels.INSTANCE: lost.id,
            labels.LOG: str(works.parts.home.logs / found.id / f"{lost.id}.log"),
        }
        with connected(docker_of_this_home) as client:
            client.create_container("python:3.11-slim", "true", labels=described)
        ended = await works.executions.resume(lost)
        assert (ended.status, ended.message) == (ExecutionStatus.FAILED, "its end was not seen")
        assert await works.is_removed(lost)


@pytest.mark.docker
@pytest.mark.timeout(120)
async def test_how_a_container_ended_while_no_agent_ran_is_known(
    home: Path, tmp_path: Path, docker_of_this_home: str
) -> None:
    command = "echo up; sleep 1; echo last words; exit 5"
    async with agent(home, tmp_path, docker_of_this_home) as works:
        execution = await begun(works, command, ExecutionTrigger.MANUAL)
    with connected(docker_of_this_home) as client:
        (container,) = client.containers(filters={"name": execution.id})
        await asyncio.to_thread(client.wait, container["Id"])
    async with agent(home, tmp_path, docker_of_this_home) as works, asyncio.timeout(LIMIT_S):
        await tidy(works.parts)
        ended = await works.executions.resume(execution)
        assert (ended.status, ended.exit_code) == (ExecutionStatus.FAILED, 5)
        assert works.output(ended)[-1] == "last words"
        assert await works.is_removed(ended)
