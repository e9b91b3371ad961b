"""Whatever happens: who has watched all the time knows what somebody sees who begins to watch now.

A real platform with its journal, whose engine and gateway do each thing when the test lets them.
"""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from core.engines.base import Exit, Life, Source
from core.errors import CompartmentError
from core.files import Home
from core.gateway.findings import Findings
from core.gateway.table import InFlight, Ports
from core.journal import Journal
from core.logs.writer import CompartmentLog
from core.model import EngineName, Trigger
from core.platform import Platform
from core.promotion import drain, readiness
from core.promotion.ledger import Ledger
from core.promotion.parts import Parts
from core.promotion.requests import Down, Request
from core.promotion.routing import Router
from core.records import Target
from core.watch import Watch
from tests.one_engine import one_engine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    import httpx

    from core.engines.base import Instance, InstanceSpec, OwnHealth, Usage
    from core.gateway.gateway import Gateway

Json = dict[str, Any]
SERVICES = ("web", "worker")
STEPS = 150


class Gates:
    """Everything that waits for the outside world, until the test lets it go on."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []

    async def pass_one(self, what: str) -> None:
        """Waits; raises what the test decides."""
        here: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((what, here))
        try:
            await here
        finally:
            self._waiting = [each for each in self._waiting if each[1] is not here]

    def open_one(self, rng: random.Random) -> None:
        """Lets one go on, or fail where that can be."""
        what, here = rng.choice(self._waiting)
        if what in ("build", "start") and rng.random() < 0.08:
            here.set_exception(CompartmentError(f"{what} failed"))
        else:
            here.set_result(None)

    @property
    def count(self) -> int:
        return len(self._waiting)


class FakeInstance:
    """An instance that runs until it is stopped, or until the test ends it."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.address = ("127.0.0.1", port)
        self.exit: Exit | None = None
        self.restarts = 0
        self.own_health = None
        self.life = Life()
        self._ended = asyncio.Event()

    async def wait_exit(self) -> Exit:
        await self._ended.wait()
        assert self.exit is not None
        return self.exit

    async def next_health(self) -> OwnHealth:
        await asyncio.Event().wait()
        raise AssertionError

    async def next_life(self, _: Life) -> Life:
        await asyncio.Event().wait()
        raise AssertionError

    def end(self) -> None:
        self.exit = Exit(code=1)
        self._ended.set()

    async def keep(self) -> None:
        pass


class FakeMachine:
    """Engine and gateway at once."""

    name = EngineName.PROCESS
    holds_names = False
    lag_s = 0.0

    def __init__(self) -> None:
        self.gates = Gates()
        self.running: dict[str, FakeInstance] = {}
        self.ports = Ports(80, 81)
        self.envoy = SimpleNamespace(is_running=True)
        self.findings = Findings(Path(), cast("Any", None))
        self._artifacts: set[str] = set()
        self._taken = 0

    async def check(self) -> None:
        pass

    def refusal(self, _: object) -> None:
        return None

    def warnings(self, _: object) -> tuple[str, ...]:
        return ()

    def fixed_port(self, *_: object) -> None:
        pass

    def inherited(self, _: object) -> dict[str, str]:
        return {}

    async def prepare(self, *_: object) -> None:
        pass

    async def clear(self, *_: object, **__: object) -> None:
        pass

    def holders(self, *_: object) -> tuple[()]:
        return ()

    async def check_claims(self, *_: object) -> None:
        pass

    async def instances(self) -> list[str]:
        return sorted(self.running)

    async def take(self, *_: object, use_cache: bool = True) -> Source:
        assert use_cache
        self._taken += 1
        return Source(f"art_{self._taken}", is_built=False)

    async def build(self, source: Source, _: object, say: Callable[[str], None]) -> None:
        await self.gates.pass_one("build")
        say("built")
        self._artifacts.add(source.artifact_id)

    async def discard(self, source: Source) -> None:
        pass

    def has_artifact(self, artifact_id: str) -> bool:
        return artifact_id in self._artifacts

    async def start(self, spec: InstanceSpec) -> Instance:
        await self.gates.pass_one("start")
        found = self.running[spec.name] = FakeInstance(spec.name, 20_000 + len(self.running))
        return cast("Instance", found)

    async def adopt(self, name: str) -> FakeInstance | None:
        return self.running.get(name)

    async def stop(self, name: str, *, grace_s: float) -> None:
        assert grace_s
        await self.gates.pass_one("stop")
        if name in self.running:
            self.running.pop(name).end()

    async def usage(self, _: Sequence[str]) -> dict[str, Usage]:
        return {}

    async def prune(self, keep: set[str]) -> None:
        self._artifacts &= keep

    async def apply(self, _: object) -> float:
        return 0.001

    async def remove_drained(self, _: object) -> None:
        await self.gates.pass_one("remove clusters")

    async def in_flight(self, _: str) -> InFlight:
        await self.gates.pass_one("drain")
        return InFlight(0, 0)

    async def cut(self, _: str) -> int:
        return 0


class Fold:
    """What somebody knows who has watched from the beginning."""

    def __init__(self, platform: Platform, target: Target) -> None:
        self._watch = Watch(target, platform.parts, platform.snapshots, platform.statistics)
        self.now: Json = {}
        self.events: list[Json] = []

    async def look(self) -> None:
        """Takes over what is different now."""
        update = await self._watch._update({})
        if update is None:
            return
        services = {**self.now.get("services", {}), **update.pop("services", {})}
        for name in update.pop("gone", ()):
            del services[name]
        self.events += update.pop("events", [])
        self.now |= {**update, "services": services}


class World:
    """A platform, two projects, and those who watch them."""

    def __init__(self, platform: Platform, machine: FakeMachine, folder: Path) -> None:
        self.platform = platform
        self.machine = machine
        self.targets = [Target(name, "production") for name in ("one", "two")]
        self._roots = {each: folder / each.project for each in self.targets}
        for target, root in self._roots.items():
            root.mkdir()
            kinds = {"web": {"path": ".", "kind": "web"}, "worker": {"path": ".", "kind": "worker"}}
            project = {"name": target.project, "services": kinds}
            (root / "compartment.yml").write_text(json.dumps(project))
        self.folds = {each: Fold(platform, each) for each in self.targets}
        self._runs: list[str] = []

    async def act(self, rng: random.Random, tasks: asyncio.TaskGroup) -> None:
        """Does something, whatever it is."""
        target = rng.choice(self.targets)
        services = rng.choice([(), ("web",), ("worker",)])
        what = rng.choice(
            ["go on"] * 25 + ["deploy", "deploy", "rollback", "cancel", "down", "die"]
        )
        if what == "go on" and self.machine.gates.count:
            self.machine.gates.open_one(rng)
        elif what == "die" and self.machine.running:
            rng.choice(list(self.machine.running.values())).end()
        elif what == "cancel" and self._runs:
            tasks.create_task(refused(self.platform.runs.cancel(self._runs[-1])))
        elif what == "down":
            tasks.create_task(refused(self.platform.runs.down(Down(target, services))))
        elif what in ("deploy", "rollback"):
            trigger = Trigger(what)
            root = self._roots[target] if trigger is Trigger.DEPLOY else None
            request = Request(trigger, target, services, root)
            tasks.create_task(refused(self._submit(request)))

    async def _submit(self, request: Request) -> None:
        self._runs.append((await self.platform.runs.submit(request)).id)

    async def settle(self) -> None:
        """Returns when nothing goes on but what waits at a gate."""
        quiet, before = 0, (-1, -1)
        journal = self.platform.ledger.journal
        while quiet < 12:
            await asyncio.to_thread(lambda: None)
            await journal.setting("none")
            await self.platform.parts.manifests.catch_up()
            now = (journal.last_seq, self.machine.gates.count)
            quiet, before = (quiet + 1 if now == before else 0), now

    async def check(self) -> None:
        """Compares what was folded with a fresh look."""
        for target, fold in self.folds.items():
            fresh = await self._looked_twice(target, fold)
            for key in ("environment", "services", "run", "queue"):
                assert fold.now[key] == fresh.now[key], key
            assert fold.events[-200:] == fresh.events

    async def _looked_twice(self, target: Target, fold: Fold) -> Fold:
        """The other look, once nothing has happened between the two."""
        while True:
            before = self.platform.ledger.journal.last_seq
            await fold.look()
            fresh = Fold(self.platform, target)
            await fresh.look()
            if self.platform.ledger.journal.last_seq == before:
                return fresh


async def refused(doing: Any) -> None:
    """What cannot be done now is not done."""
    with suppress(CompartmentError):
        await doing


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    home = Home(folder)
    home.create()
    journal = Journal(home.journal)
    await journal.open()
    log = CompartmentLog(home.logs)
    ledger = Ledger(journal, log)
    machine = FakeMachine()
    engines = one_engine(machine)
    router = Router(ledger, cast("Gateway", machine), engines)
    probes = cast("httpx.AsyncClient", None)  # these services have no readiness check
    parts = Parts(home, ledger, router, engines, probes, asyncio.Semaphore(2))
    try:
        async with asyncio.TaskGroup() as tasks:
            platform = Platform(parts, cast("Gateway", machine), tasks)
            await platform.ledger.load()
            watching = tasks.create_task(platform._watch.follow())
            yield World(platform, machine, folder)
            watching.cancel()
            platform._watch.stop()
    finally:
        log.close()
        await journal.close()


@pytest.mark.parametrize("seed", range(8))
async def test_who_watched_all_the_time_knows_what_is_true(
    seed: int, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "_LOOK_S", 0)
    monkeypatch.setattr(readiness, "_WORKER_LOOK_S", 0)
    monkeypatch.setattr(drain, "_SETTLE_S", 0)
    monkeypatch.setattr(drain, "_QUIET_S", 0)
    monkeypatch.setattr(drain, "_LOOK_PAUSE_S", 0)
    rng = random.Random(seed)
    async with world(home) as found, asyncio.TaskGroup() as tasks:
        for _ in range(STEPS):
            await found.act(rng, tasks)
            await found.settle()
            await found.check()
        while found.machine.gates.count:
            found.machine.gates.open_one(rng)
            await found.settle()
        await found.check()
        for fold in found.folds.values():
            assert all(each["waiting"] is None for each in fold.now["services"].values())
            assert fold.now["queue"] == []
    assert found.platform.parts.progress._waits == {}
