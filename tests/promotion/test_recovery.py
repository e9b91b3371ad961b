"""What is made true again while runs go on: an engine comes back whenever it likes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from core.engines.base import Exit, Life, OwnHealth
from core.errors import CompartmentError
from core.files import Home
from core.health.watch import HealthWatch
from core.journal import Journal
from core.logs.writer import CompartmentLog
from core.model import (
    Condition,
    Dependency,
    EngineName,
    Health,
    Service,
    ServiceKind,
    Stage,
    Status,
    Trigger,
)
from core.promotion import checking, returning
from core.promotion.ledger import Ledger
from core.promotion.parts import Parts
from core.promotion.recovery import recover, tidy
from core.promotion.returning import bring_back
from core.promotion.reviving import resume
from core.promotion.routing import Router
from core.records import Activation, ActivationState, EnvironmentRecord, Run
from tests.one_engine import one_engine
from tests.promotion.records import TARGET, deployment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

LIVE = deployment(
    service=Service("web", ".", ServiceKind.WORKER),
    status=Status.SUCCEEDED,
    stage=Stage.ACTIVE,
    is_active=True,
    health=Health.HEALTHY,
)
ACTIVATION = Activation(
    LIVE.id, 1, ActivationState.LIVE, LIVE.created_at, addresses=(("127.0.0.1", 1),)
)


class FakeInstance:
    """One that says of itself what a test wants."""

    def __init__(self, name: str, own_health: OwnHealth | None = None) -> None:
        self.name = name
        self.exit: Exit | None = None
        self.own_health = own_health
        self.life = Life()
        self.address = ("127.0.0.1", 1)
        self.news = asyncio.Queue[OwnHealth]()
        self.ended = asyncio.Event()

    async def keep(self) -> None:
        """It is permanent."""

    async def next_health(self) -> OwnHealth:
        self.own_health = await self.news.get()
        return self.own_health

    async def next_life(self, _: Life) -> Life:
        """It is never restarted."""
        await asyncio.Event().wait()
        raise AssertionError

    async def wait_exit(self) -> Exit:
        await self.ended.wait()
        assert self.exit is not None
        return self.exit


class FakeEngine:
    """Remembers what it is told; `meanwhile` is what goes on while it works."""

    name = EngineName.PROCESS

    def __init__(self) -> None:
        self.running: dict[str, FakeInstance] = {}
        self.refused: CompartmentError | None = None
        self.meanwhile: dict[str, Callable[[], Awaitable[None]]] = {}

    async def _work(self, what: str) -> None:
        if what in self.meanwhile:
            await self.meanwhile.pop(what)()

    async def instances(self) -> list[str]:
        await self._work("instances")
        return list(self.running)

    async def check(self) -> None:
        """It can be used."""

    async def prepare(self, *_: object) -> None:
        if self.refused:
            raise self.refused

    async def adopt(self, name: str) -> FakeInstance | None:
        await self._work("adopt")
        return self.running.get(name)

    async def start(self, spec: Any) -> FakeInstance:
        self.running[spec.name] = FakeInstance(spec.name)
        await self._work("start")
        return self.running[spec.name]

    async def stop(self, name: str, *, grace_s: float) -> None:
        self.running.pop(name, None)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
async def parts(home: Path, engine: FakeEngine) -> AsyncIterator[Parts]:
    where = Home(home)
    where.create()
    journal = Journal(where.journal)
    await journal.open()
    log = CompartmentLog(where.logs)
    ledger, engines = Ledger(journal, log), one_engine(engine)
    nothing = cast("Any", None)
    router = Router(ledger, nothing, engines)
    yield Parts(where, ledger, router, engines, nothing, asyncio.Semaphore(1), stop_grace_s=0)
    log.close()
    await journal.close()


async def make_live(parts: Parts, activation: Activation = ACTIVATION) -> None:
    record = EnvironmentRecord(TARGET, EngineName.PROCESS, "/")
    await parts.ledger.write(LIVE, activation, record)


async def replaced(parts: Parts) -> None:
    """As a run does it that has switched, and ended what it replaced."""
    await parts.ledger.write(LIVE.changed(is_active=False))
    await parts.ledger.write(replace(ACTIVATION, state=ActivationState.GONE))
    parts.ledger.forget_past()


async def test_a_candidate_that_is_started_meanwhile_is_no_stranger(
    parts: Parts, engine: FakeEngine
) -> None:
    async def start_candidate() -> None:
        candidate = replace(ACTIVATION, state=ActivationState.CANDIDATE)
        await parts.ledger.write(LIVE, candidate)
        engine.running[candidate.name] = FakeInstance(candidate.name)

    engine.running["dep_stranger.1"] = FakeInstance("dep_stranger.1")
    engine.meanwhile["instances"] = start_candidate
    await tidy(parts)
    assert engine.running.keys() == {ACTIVATION.name}


async def test_what_is_replaced_while_it_is_started_again_does_not_stay(
    parts: Parts, engine: FakeEngine
) -> None:
    await make_live(parts)
    engine.meanwhile["start"] = lambda: replaced(parts)
    await resume(parts, cast("Any", engine))
    assert engine.running == {}
    kept = await parts.ledger.journal.deployment(LIVE.id)
    assert kept is not None
    assert not kept.is_active


async def test_what_is_replaced_before_its_turn_is_left_alone(
    parts: Parts, engine: FakeEngine
) -> None:
    other = deployment(id="dep_bbbbbbbbbbbb", service=Service("api", "."), is_active=True)
    later = replace(ACTIVATION, deployment_id=other.id)
    await make_live(parts)
    await parts.ledger.write(other, later)

    async def replace_it() -> None:
        ended = other.changed(is_active=False, status=Status.SUCCEEDED)
        await parts.ledger.write(ended, replace(later, state=ActivationState.GONE))
        parts.ledger.forget_past()

    engine.meanwhile["adopt"] = replace_it
    await resume(parts, cast("Any", engine))
    assert engine.running.keys() == {ACTIVATION.name}


async def test_nobody_waits_for_what_comes_back_after_a_crash(
    parts: Parts, engine: FakeEngine
) -> None:
    run = Run("drn_a", TARGET, Trigger.DEPLOY, Status.RUNNING, LIVE.created_at)
    aside = replace(ACTIVATION, state=ActivationState.ASIDE, replaced_by=run.id)
    await parts.ledger.write(LIVE, aside, run)
    is_starting = asyncio.Event()

    async def take_ages() -> None:
        is_starting.set()
        await asyncio.Event().wait()

    engine.meanwhile["start"] = take_ages
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        (unfinished,) = await recover(parts)
        assert not is_starting.is_set()
        ending = tasks.create_task(unfinished.promotion.go_back("a crash", "agent_ended"))
        await is_starting.wait()
        ending.cancel()


async def test_an_engine_that_refuses_a_network_holds_up_nothing_else(
    parts: Parts, engine: FakeEngine
) -> None:
    await make_live(parts)
    engine.refused = CompartmentError("no subnet is left")
    await resume(parts, cast("Any", engine))
    assert engine.running.keys() == {ACTIVATION.name}


async def test_what_its_own_check_says_outweighs_that_it_runs(
    parts: Parts, engine: FakeEngine
) -> None:
    await make_live(parts)
    ill = OwnHealth(Health.UNHEALTHY, "no database")
    engine.running[ACTIVATION.name] = FakeInstance(ACTIVATION.name, ill)
    await resume(parts, cast("Any", engine))
    assert parts.ledger.deployments[LIVE.id].health is Health.UNHEALTHY
    assert "no database" in (parts.ledger.deployments[LIVE.id].health_reason or "")
    # That it runs is no news; who watches it tells that it is well again.
    engine.running[ACTIVATION.name].own_health = OwnHealth(Health.HEALTHY)
    await resume(parts, cast("Any", engine))
    assert parts.ledger.deployments[LIVE.id].health is Health.UNHEALTHY
    async with asyncio.TaskGroup() as tasks:
        watch = HealthWatch(parts, tasks)
        following = tasks.create_task(watch.follow())
        await _becomes(parts, Health.HEALTHY)
        following.cancel()
        watch.stop()
    assert parts.ledger.deployments[LIVE.id].health_reason is None


async def test_one_healthy_instance_does_not_speak_for_the_others(
    parts: Parts, engine: FakeEngine
) -> None:
    await make_live(parts, replace(ACTIVATION, replicas=2))
    one, two = (FakeInstance(name) for name in (ACTIVATION.name, f"{ACTIVATION.name}-2"))
    engine.running = {one.name: one, two.name: two}
    async with asyncio.TaskGroup() as tasks:
        watch = HealthWatch(parts, tasks)
        following = tasks.create_task(watch.follow())
        two.exit = Exit(1)
        two.ended.set()
        await _becomes(parts, Health.UNHEALTHY)
        one.news.put_nowait(OwnHealth(Health.HEALTHY))
        one.news.put_nowait(OwnHealth(Health.UNHEALTHY))
        one.news.put_nowait(OwnHealth(Health.HEALTHY))
        async with asyncio.timeout(60):
            while not one.news.empty():
                await asyncio.sleep(0)
        assert parts.ledger.deployments[LIVE.id].health is Health.UNHEALTHY
        following.cancel()
        watch.stop()


async def test_a_bug_in_the_watch_of_one_ends_nothing_else(
    parts: Parts, engine: FakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    async def break_down() -> None:
        raise OSError(24, "Too many open files")

    await make_live(parts)
    engine.meanwhile["adopt"] = break_down
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        watch = HealthWatch(parts, tasks)
        following = tasks.create_task(watch.follow())
        while "Too many open files" not in caplog.text:
            await asyncio.sleep(0.01)
        following.cancel()
        watch.stop()


async def _becomes(parts: Parts, health: Health) -> None:
    async with asyncio.timeout(60):
        while parts.ledger.deployments[LIVE.id].health is not health:
            await parts.ledger.wait_change()


async def test_services_that_wait_for_each_other_come_back_all_the_same(
    parts: Parts, engine: FakeEngine
) -> None:
    """Each was deployed in a run of its own: together they never had an order."""
    for id_, name, other in (("dep_aaaaaaaaaaaa", "a", "b"), ("dep_bbbbbbbbbbbb", "b", "a")):
        waits = (Dependency(other, Condition.HEALTHY),)
        service = Service(name, ".", ServiceKind.WORKER, depends_on=waits)
        live = LIVE.changed(id=id_, service=service)
        await parts.ledger.write(live, replace(ACTIVATION, deployment_id=id_))
    async with asyncio.timeout(30):
        await bring_back(parts)
    assert engine.running.keys() == {"dep_aaaaaaaaaaaa.1", "dep_bbbbbbbbbbbb.1"}


async def test_one_that_does_not_get_ready_keeps_nobody_from_being_served_for_long(
    parts: Parts, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for it is started all the same."""
    monkeypatch.setattr(returning, "_LONGEST_S", 0.05)

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(checking, "look", never)
    await make_live(parts)
    waits = (Dependency("web", Condition.HEALTHY),)
    after = LIVE.changed(
        id="dep_bbbbbbbbbbbb", service=Service("b", ".", ServiceKind.WORKER, depends_on=waits)
    )
    await parts.ledger.write(after, replace(ACTIVATION, deployment_id=after.id))
    async with asyncio.timeout(60):
        await bring_back(parts)
    assert engine.running.keys() == {ACTIVATION.name, "dep_bbbbbbbbbbbb.1"}
    found = parts.ledger.deployments[LIVE.id]
    assert found.health is Health.UNHEALTHY
    assert "it was not ready" in (found.health_reason or "")
