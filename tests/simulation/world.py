"""A project in two environments, those who deploy it, and everything that can go wrong."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.config.compose.options import ComposeOptions
from core.container import Container
from core.engines.base import Exit
from core.model import Health, Status, Trigger
from core.promotion.finishing import has_finished
from core.promotion.ledger import Ledger
from core.promotion.requests import Down, Request
from core.promotion.serving import table
from core.records import ActivationState, Target
from tests.simulation import compose_shop
from tests.simulation.agent import Agent
from tests.simulation.compose_shop import ComposeRepository
from tests.simulation.machine import FIXED, activation_of, must_be_alone
from tests.simulation.repository import NAME, Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from random import Random

    from core.gateway.table import Table
    from core.platform import Platform
    from core.records import Deployment, Run
    from tests.simulation.machine import Instance
    from tests.simulation.simulate import Scene

_STEP_S = 0.4
"""In the time of the loop: what the agent can do by itself it has done, or nearly so."""

_PAUSES_S = (0.0, 0.0, 0.001, 0.005, 0.02, _STEP_S)
"""Between two things that the test does: many fall into the middle of what the agent does."""

_SEEN_S = 1.0
"""Until then an end is journalled, however slow that is."""

_CALM_S = 30.0
"""After this what is flapping is told, too."""

_LONGEST = 5_000
"""More steps than anything takes to come to an end."""

TARGETS = (Target(NAME, "production"), Target(NAME, "staging"))
SERVICES: dict[str, dict[str, Any]] = {
    "web": {"kind": "web", "replicas": 2},
    "api": {"kind": "api", "dependsOn": {"db": "healthy"}},
    "db": {"kind": "worker", "strategy": "stop-first"},
    "single": {"kind": "worker", "strategy": "singleton"},
    FIXED: {"kind": "web"},
    "migrate": {"kind": "job", "dependsOn": {"db": "healthy"}},
    "nightly": {"kind": "cron", "schedule": "0 0 29 2 *", "dependsOn": {"migrate": "completed"}},
}
OTHERS: dict[str, list[dict[str, Any]]] = {
    "web": [{"strategy": "overlap"}, {"strategy": "stop-first"}],
    "single": [{"strategy": "overlap"}, {"strategy": "singleton"}],
}
"""What the block of a service changes to, and back."""

ACTIONS = {
    "go on": 70,
    "deploy": 6,
    "redeploy": 2,
    "rollback": 4,
    "take back": 8,
    "promote": 3,
    "edit": 4,
    "cancel": 2,
    "hold": 2,
    "resume": 3,
    "down": 1,
    "kill": 2,
    "execute": 2,
    "finish": 2,
    "listen": 2,
}


@dataclass(frozen=True, slots=True)
class Shop:
    """A project, with all that its services are changed to."""

    repository: type[Repository]
    services: dict[str, dict[str, Any]]
    others: dict[str, list[dict[str, Any]]]
    executed: tuple[str, ...]
    environ: Callable[[str, Random], Mapping[str, str]] = lambda *_: {}


OF_DESCRIPTOR = Shop(Repository, SERVICES, OTHERS, ("migrate", "nightly"))
OF_COMPOSE = Shop(
    ComposeRepository,
    compose_shop.SERVICES,
    compose_shop.OTHERS,
    ("migrate",),
    compose_shop.environ_of,
)


class World:
    """What the agents come and go in."""

    def __init__(self, scene: Scene, shop: Shop = OF_DESCRIPTOR) -> None:
        self._scene = scene
        self._shop = shop
        self._rng = scene.rng
        self.machine = scene.machine
        self.promises = scene.promises
        self._resumed: list[str] = []
        self._finished_at: dict[str, float] = {}
        self._unseen: set[str] = set()
        """What finished while nobody, or maybe nobody, saw it."""
        self._failing = self._rng.choice((0.0, 0.01, 0.05))
        self._dying = self._rng.choice((0.0, 0.2, 1.0))
        self._repository = shop.repository(scene.project, shop.services)
        if shop is OF_DESCRIPTOR and self._rng.random() < 0.5:
            self._repository.edit("web", dependsOn={"migrate": "completed"})
        self.agent = self._begin()

    def _begin(self) -> Agent:
        return Agent(self._scene)

    async def close(self) -> None:
        """Leaves nothing behind."""
        await self.agent.die()

    async def step(self) -> None:
        """Does something, whatever it is, and looks what comes of it."""
        weights = {**ACTIONS, "agent dies": self._dying}
        (what,) = self._rng.choices([*weights], [*weights.values()])
        if what == "agent dies":
            await self.agent.die()
            self._forget_unseen()
            self.agent = self._begin()
        elif what == "edit":
            self._edit(self._rng.choice([*self._shop.services]))
        elif what == "kill":
            self._kill()
        elif what == "finish":
            self._finish()
        elif what == "listen":
            self._listen()
        elif what == "go on" or self.agent.platform is None or self._is_busy(what):
            for _ in range(self._rng.randint(1, 6)):
                self._go_on(failing=self._failing)
        else:
            self._ask(what, self.agent.platform)
        await self.look(self._rng.choice(_PAUSES_S))

    def _is_busy(self, what: str) -> bool:
        """Whether there would be a long line: only what comes next meets what still drains."""
        runs = [each for each in self.promises.runs.values() if not each.status.is_final]
        return what in set(Trigger) and len(runs) > 1 and self._rng.random() < 0.8

    def _go_on(self, *, failing: float = 0.0) -> None:
        if not self.machine.gates.is_empty:
            self.machine.gates.open_one(self._rng, failing=failing)

    async def look(self, seconds: float = _STEP_S) -> None:
        """Lets what can go on by itself do so, and looks whether all promises are kept."""
        await asyncio.sleep(seconds)
        self.agent.check_alive()
        assert self.promises.broken is None, self.promises.broken

    def _edit(self, name: str) -> None:
        """Another content of a service, and sometimes another block."""
        others, changed = self._shop.others, {}
        if name in others and self._rng.random() < 0.3:
            changed = self._rng.choice(others[name])
        self._repository.edit(name, **changed)

    def _kill(self) -> None:
        running = sorted(self.machine.running)
        if running:
            name = self._rng.choice(running)
            self.promises.seen.append(f"{name} is killed")
            self.machine.lost.add(name)
            self.machine.instances[name].end(1)

    def _finish(self) -> None:
        """Something live has done what it was to do, while somebody looks."""
        if self.agent.platform is None:
            return
        for name, each in sorted(self.machine.running.items()):
            known = self.promises.activations.get(activation_of(name))
            if known is None or known.state is not ActivationState.LIVE:
                continue
            is_server = each.hears or known.ports
            may_finish = has_finished(each.spec.service, Exit(0)) and not is_server
            # What ends at the moment in which it is asked to is taken for what was ended.
            if may_finish and not self._is_being_replaced(each) and self._rng.random() < 0.5:
                self.promises.seen.append(f"{name} has finished")
                self.machine.finished.add(name)
                self._finished_at[name] = asyncio.get_running_loop().time()
                each.end(0)

    def _forget_unseen(self) -> None:
        """What finished just before its agent died was seen by nobody: it may start again."""
        now = asyncio.get_running_loop().time()
        for name, at in self._finished_at.items():
            if now - at < _SEEN_S and name in self.machine.finished:
                self.machine.finished.remove(name)
                self.machine.lost.add(name)
                self._unseen.add(name)

    def _is_being_replaced(self, instance: Instance) -> bool:
        of = instance.spec
        return any(
            (each.target, each.service.name) == (of.owner.target, of.service.name)
            and each.status is Status.RUNNING
            and must_be_alone(of.service)
            for each in self.promises.deployments.values()
        )

    def _listen(self) -> None:
        """Something that declares no port begins to listen on one."""
        for each in self.machine.running.values():
            container = each.spec.service.container
            if container is not None and not container.ports and self._rng.random() < 0.5:
                each.hears.add(self._rng.choice((3001, 9000)))

    # -- what front ends ask for ---------------------------------------------

    def _ask(self, what: str, platform: Platform) -> None:
        target = self._rng.choice(TARGETS)
        run = self._some_run(platform)
        if what in ("cancel", "hold", "resume"):
            if run is not None:
                asked = {"cancel": platform.runs.cancel, "hold": self._hold, "resume": self._resume}
                self.agent.ask(asked[what](run.id))
        elif what == "down":
            self.agent.ask(platform.runs.down(Down(target, self._some_services())))
        elif what == "execute":
            self._execute(platform, target)
        elif what == "take back":
            self._take_back(platform)
        else:
            self.agent.ask(platform.runs.submit(self._request(Trigger(what), target)))

    def _execute(self, platform: Platform, target: Target) -> None:
        name = self._rng.choice(self._shop.executed)
        cron = platform.ledger.active(target).get("nightly")
        if name == "nightly" and cron is not None and self._rng.random() < 0.5:
            platform.background.start_due(cron, datetime.now(UTC))
        else:
            self.agent.ask(platform.background.start(target, name))

    def _take_back(self, platform: Platform) -> None:
        """What still drains need not be started again, for a short time only."""
        known = self.promises.activations.values()
        draining = [each for each in known if each.state is ActivationState.DRAINING]
        if draining:
            found = self.promises.deployments[self._rng.choice(draining).deployment_id]
            services = (found.service.name,)
            request = Request(Trigger.ROLLBACK, found.target, services, to=found.id)
            self.agent.ask(platform.runs.submit(request))

    def _some_run(self, platform: Platform) -> Run | None:
        runs = list(platform.ledger.runs.values())
        return self._rng.choice(runs) if runs else None

    def _some_services(self) -> tuple[str, ...]:
        if self._rng.random() < 0.5:
            return ()
        return tuple(self._rng.sample([*self._shop.services], self._rng.randint(1, 3)))

    def _request(self, trigger: Trigger, target: Target) -> Request:
        services = self._some_services()
        if trigger is Trigger.PROMOTE:
            source = next(each for each in TARGETS if each != target)
            return Request(trigger, target, services, source=source)
        if trigger is not Trigger.ROLLBACK:
            environ = self._shop.environ(target.environment, self._rng)
            compose = ComposeOptions(environ=environ, services=services)
            return Request(trigger, target, services, self._repository.root, compose=compose)
        past = [
            each
            for each in self.promises.deployments.values()
            if each.target == target and each.activated_at and not each.is_active
        ]
        if past and self._rng.random() < 0.5:
            named = self._rng.choice(past)
            return Request(trigger, target, (named.service.name,), to=named.id)
        return Request(trigger, target, services)

    async def _hold(self, run_id: str) -> None:
        self.promises.seen.append(f"hold {run_id}")
        resumed = self._resumed.count(run_id)
        await self._platform.runs.hold(run_id)
        if self._resumed.count(run_id) == resumed:
            self.promises.held.add(run_id)

    async def _resume(self, run_id: str) -> None:
        self.promises.seen.append(f"resume {run_id}")
        self.promises.held.discard(run_id)
        self._resumed.append(run_id)
        await self._platform.runs.resume(run_id)

    @property
    def _platform(self) -> Platform:
        assert self.agent.platform is not None
        return self.agent.platform

    # -- the end -------------------------------------------------------------

    async def come_to_rest(self) -> None:
        """Opens every gate until nothing goes on any more, and looks at what is left."""
        for _ in range(_LONGEST):
            if self._is_at_rest:
                await self.look(_CALM_S)
                if self._is_at_rest:
                    break
            self._go_on()
            for run_id in sorted(self._held):
                self.agent.ask(self._resume(run_id))
            await self.look()
        assert self._is_at_rest, f"it hangs: {self._unfinished}"
        await self._check_rest()

    @property
    def _held(self) -> set[str]:
        platform = self.agent.platform
        running = platform.runs._running if platform else {}
        return {
            name
            for name, (_, promotion) in running.items()
            if promotion is not None and not promotion._may_go_on.is_set()
        }

    @property
    def _is_at_rest(self) -> bool:
        platform = self.agent.platform
        return (
            platform is not None
            and platform.is_idle
            and not platform.runs._running
            and not self.agent.is_asked
            and not platform.ledger.executions
            and self.machine.gates.is_empty
        )

    @property
    def _unfinished(self) -> str:
        platform = self.agent.platform
        if platform is None:
            return f"the agent recovers; at the gates: {self.machine.gates}"
        return (
            f"runs {list(platform.runs._running)}, executions {list(platform.ledger.executions)},"
            f" at the gates: {self.machine.gates}"
        )

    async def _check_rest(self) -> None:
        promises, machine, ledger = self.promises, self.machine, self._platform.ledger
        there = [e for e in promises.activations.values() if e.state is not ActivationState.GONE]
        assert {each.state for each in there} <= {ActivationState.LIVE}, there
        unfinished = [each for each in promises.runs.values() if not each.status.is_final]
        assert not unfinished, unfinished
        for target in TARGETS:
            for deployment in promises.active(target).values():
                assert deployment.artifact_id in machine.artifacts
                if deployment.service.kind.is_long_running:
                    assert promises.live(deployment) is not None, f"{deployment.id} is not live"
        assert all(promises.deployments[each.deployment_id].is_active for each in there)
        wanted = {name for each in there for name in each.instance_names}
        strangers = machine.instances.keys() - wanted
        assert not strangers, f"nobody knows of {strangers}"
        self._check_health(there)
        assert self._platform.parts.progress._waits == {}
        self._check_served(table(ledger, self._platform.parts.router.hosts))
        self._check_networks()
        await self._check_ledger(ledger)

    def _check_served(self, wanted: Table) -> None:
        served = self.machine.served
        assert served.sites == wanted.sites
        # A gateway that refused the last update of a run that failed may lead to what is gone.
        live = {each.name for each in wanted.upstreams}
        assert {each for each in _entered(served) if each[3] in live} == _entered(wanted)

    def _check_networks(self) -> None:
        """Each name leads somewhere on the networks of its service, and on no other one."""
        for target in TARGETS:
            drawn = self.machine.networks.get(target, {})
            active = self.promises.active(target)
            contained = {n: d.service.container for n, d in active.items() if d.service.container}
            for name, container in contained.items():
                keys = {each.network.key for each in container.networks}
                held = {key for key, names in drawn.items() if name in names}
                assert held <= keys, f"{target} holds {name} on {held - keys} for nobody"
                live = self.promises.live(active[name])
                for each in live.instance_names if live else ():
                    instance = self.machine.running.get(each)
                    if instance is not None:
                        assert keys == held | instance.carried, f"nobody is called {name}"
                        self._check_beside(instance, active)
            unheard = {n for names in drawn.values() for n in names} - contained.keys()
            assert not contained or not unheard, f"{unheard} are held, and not active"

    def _check_beside(self, instance: Instance, active: Mapping[str, Deployment]) -> None:
        """What shares the network of another one shares that of the one that is live."""
        mode = (instance.spec.service.container or Container()).network_mode or ""
        leader = active.get(mode.removeprefix("service:"))
        if mode and leader is not None:
            live = self.promises.live(leader)
            there = self.machine.instances.get(live.name) if live else None
            assert instance.beside is there, f"{instance.name} is in the network of nobody"

    def _check_health(self, live: list[Any]) -> None:
        for each in live:
            deployment = self.promises.deployments[each.deployment_id]
            missing = set(each.instance_names) - self.machine.running.keys()
            finished = self.machine.finished
            assert missing <= self.machine.lost | finished, f"{missing} do not run"
            known = {name: self.machine.instances.get(name) for name in each.instance_names}
            is_well = all(
                name in finished or (one and one.is_running and one.is_ready)
                for name, one in known.items()
            )
            if self._unseen.intersection(each.instance_names):
                continue
            wanted = Health.HEALTHY if is_well else Health.UNHEALTHY
            assert deployment.health is wanted, f"{deployment.service.name} is {deployment.health}"

    async def _check_ledger(self, ledger: Ledger) -> None:
        fresh = Ledger(ledger.journal, ledger.log)
        await fresh.load()
        for name in ("runs", "deployments", "activations", "executions", "environments", "hosts"):
            kept, loaded = getattr(ledger, name), getattr(fresh, name)
            assert kept == loaded, f"{name}: {kept.keys() ^ loaded.keys()}"
        assert all(each.status is not Status.QUEUED for each in ledger.deployments.values())


def _entered(table: Table) -> set[tuple[str, str, int, str, bool]]:
    """Where each door leads that leads anywhere."""
    return {
        (door.address, door.namespace or "", door.port, each.upstream, each.is_tcp)
        for each in table.entrances
        if each.upstream is not None
        for door in each.doors
    }
