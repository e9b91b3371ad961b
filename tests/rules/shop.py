"""A shop to hold the rules of the lifecycle against: scripts of commands, and what became of it.

A real platform with its journal; engine and gateway do everything at once, and write it down.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import httpx

from core.engines.base import Source
from core.errors import CompartmentError
from core.events import EventType
from core.files import Home
from core.journal import Journal
from core.logs.writer import CompartmentLog
from core.model import DEFAULT_ENVIRONMENT, Trigger
from core.platform import Platform
from core.promotion import drain, readiness
from core.promotion.ledger import Ledger
from core.promotion.parts import Parts
from core.promotion.requests import Down, Request
from core.promotion.routing import Router
from core.promotion.variables import Scope, assign
from core.records import Target
from tests.one_engine import one_engine
from tests.test_overview import FakeInstance, FakeMachine, Gates

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    import pytest

    from core.engines.base import Instance, InstanceSpec, Owner
    from core.gateway.gateway import Gateway
    from core.gateway.table import InFlight, Table
    from core.model import Service
    from core.records import Deployment, Run

Json = dict[str, Any]
WEB = {"path": ".", "readiness": {"type": "http", "timeoutMs": 1000}}
API = {"path": ".", "kind": "api"}
KEPT = 3
"""How many deployments of a service stay ready for a rollback."""

NAME = "shop"


class OpenGates(Gates):
    """Nothing waits."""

    async def pass_one(self, what: str) -> None:
        pass


class Candidate(FakeInstance):
    """An instance on a port that nobody else has."""

    async def foreign_listener(self) -> None:
        pass

    async def explain_silence(self) -> None:
        pass


class Machine(FakeMachine):
    """Engine and gateway; an artifact is named by its service and the version of its source."""

    def __init__(self) -> None:
        super().__init__()
        self.gates = OpenGates()
        self.trace: list[str] = []
        """What it did, one after the other."""
        self.specs: list[InstanceSpec] = []
        """What instances were started from."""
        self.broken: set[str] = set()
        """Services that do not get ready."""
        self.ending: set[str] = set()
        """Services that end as soon as they are started."""
        self.unbuildable: set[str] = set()
        self._names: dict[str, str] = {}
        """The artifact of each instance."""
        self._routed: dict[str, str] = {}

    async def identify(self, root: Path, service: Service, *_: object) -> Source:
        artifact_id = f"{service.name}@{(root / 'VERSION').read_text()}"
        return Source(artifact_id, is_built=artifact_id in self._artifacts)

    async def take(self, *of: Any, use_cache: bool = True) -> Source:
        assert use_cache
        return await self.identify(*of)

    async def build(self, source: Source, owner: object, say: Callable[[str], None]) -> None:
        if cast("Owner", owner).service_name in self.unbuildable:
            say("no such header")
            raise CompartmentError("the build ended with code 7")
        if source.artifact_id not in self._artifacts:
            self.trace.append(f"build {source.artifact_id}")
            self._artifacts.add(source.artifact_id)

    def lose(self, artifact_id: str) -> None:
        """Somebody has removed it."""
        self._artifacts.remove(artifact_id)

    async def start(self, spec: InstanceSpec) -> Instance:
        self.trace.append(f"start {spec.artifact_id}")
        self.specs.append(spec)
        self._names[spec.name] = spec.artifact_id
        found = self.running[spec.name] = Candidate(spec.name, 20_000 + len(self.specs))
        if spec.owner.service_name in self.ending:
            found.end()
        return cast("Instance", found)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """What instances reply to a readiness check."""
        spec = self.specs[(request.url.port or 0) - 20_001]
        if spec.owner.service_name in self.ending:
            raise httpx.ConnectError("nobody listens")
        return httpx.Response(503 if spec.owner.service_name in self.broken else 200)

    async def instances(self) -> list[str]:
        return list(self.running)

    async def stop(self, name: str, *, grace_s: float) -> None:
        if name in self.running:
            self.trace.append(f"stop {self._names[name]}")
        await super().stop(name, grace_s=grace_s)

    async def apply(self, wanted: object) -> float:
        sites = cast("Table", wanted).sites
        routed = {f"{each.host} {each.service}": each.live.get(each.service, "") for each in sites}
        for host in sorted(routed.keys() | self._routed.keys()):
            upstream = routed.get(host, "")
            if upstream != self._routed.get(host, ""):
                service = host.partition(" ")[2]
                self.trace.append(f"route {self._names.get(upstream, f'{service} to nothing')}")
        self._routed = routed
        return 0.001

    lag_s = 0.0

    async def in_flight(self, upstream: str) -> InFlight:
        said = f"drain {self._names[upstream]}"
        if said not in self.trace:
            self.trace.append(said)
        return await super().in_flight(upstream)


class Shop:
    """A project whose environments are changed by scripts such as `deploy; deploy api; rollback`.

    Commands of a script:

    * `deploy`, `again`, `redeploy`: `deploy` makes a new version of the source first
    * `rollback [to=web@1]`, `promote` (from staging), `down`
    * `break`, `end`, `jam`, `mend`: new instances of a service do not get ready, end at once, or
      cannot be built; `lose web@1`: its artifact is gone; `set NAME=VALUE`

    Each is of production, or of `@staging`; a service after it means that one alone.
    """

    def __init__(self, platform: Platform, machine: Machine, root: Path) -> None:
        self.platform = platform
        self.machine = machine
        self._root = root
        self._version = 0
        self.last: Run | None = None
        """The run that was accepted last, as it was then."""
        self.write(web=WEB)

    def write(self, **services: Json) -> None:
        """Writes the project file."""
        project = {"name": NAME, "services": services}
        (self._root / "compartment.yml").write_text(json.dumps(project))
        (self._root / "VERSION").write_text(str(self._version))

    async def play(self, script: str) -> str:
        """Carries a script out; returns how its last command ended, then what is active."""
        outcome = ""
        for step in script.split(";"):
            self.machine.trace.clear()
            outcome = await self.do(step)
        return outcome

    async def do(self, step: str) -> str:
        """Carries one command out; nothing is said of one that succeeded."""
        verb, *words = step.split()
        environment = next((w[1:] for w in words if w.startswith("@")), DEFAULT_ENVIRONMENT)
        given = dict(w.split("=", 1) for w in words if "=" in w)
        names = [w for w in words if "=" not in w and not w.startswith("@")]
        said = ""
        try:
            said = await self._carry_out(verb, Target(NAME, environment), names, given)
        except CompartmentError as error:
            said = f"refused, {error.code}"
        active = self.active(environment)
        return "; ".join(part for part in (said, " ".join(active) or "nothing") if part)

    async def _carry_out(
        self, verb: str, target: Target, names: list[str], given: dict[str, str]
    ) -> str:
        machine = self.machine
        faults = {"break": machine.broken, "end": machine.ending, "jam": machine.unbuildable}
        if verb in faults:
            faults[verb].update(names)
        elif verb == "mend":
            for broken in faults.values():
                broken.difference_update(names)
        elif verb == "lose":
            machine.lose(names[0])
        elif verb == "set":
            scope = Scope(target, names[0] if names else None)
            await assign(self.platform.ledger, scope, given)
        elif verb == "down":
            await self.platform.runs.down(Down(target, tuple(names)))
        else:
            request = await self.request(verb, target, names, given)
            ended = await self.end(await self.platform.runs.submit(request))
            return "" if ended["run"]["status"] == "succeeded" else "failed"
        return ""

    async def request(
        self, verb: str, target: Target, names: list[str], given: dict[str, str]
    ) -> Request:
        """What a command asks the platform for."""
        if verb == "deploy":
            self._version += 1
            (self._root / "VERSION").write_text(str(self._version))
        trigger = Trigger.DEPLOY if verb == "again" else Trigger(verb)
        return Request(
            trigger,
            target,
            tuple(names),
            self._root if trigger in (Trigger.DEPLOY, Trigger.REDEPLOY) else None,
            to=await self.id_of(given["to"], target) if "to" in given else None,
            source=Target(NAME, given.get("from", "staging")),
            wait_s=float(given["wait"]) if "wait" in given else None,
        )

    async def end(self, run: Run) -> Json:
        """Waits until a run has ended, and what comes after it as well; returns its result."""
        self.last = run
        await asyncio.wait([self.platform.runs._running[run.id][0]])
        return await self.platform.snapshots.run_result(run.id)

    def active(self, environment: str = DEFAULT_ENVIRONMENT) -> list[str]:
        """The artifacts that are active, by service."""
        found = self.platform.ledger.active(Target(NAME, environment))
        return [found[name].artifact_id for name in sorted(found)]

    async def history(self, environment: str = DEFAULT_ENVIRONMENT) -> list[Deployment]:
        """All deployments, oldest first."""
        found = await self.platform.ledger.journal.history(Target(NAME, environment), None, 100)
        return found[::-1]

    async def id_of(self, artifact_id: str, target: Target) -> str:
        """The first deployment of an artifact; `nothing` is the id of none."""
        found = await self.history(target.environment)
        return next((each.id for each in found if each.artifact_id == artifact_id), "dep_nothing")

    async def stages(self, service: str = "web") -> str:
        """The stages that a service went through in the last run, each with its status."""
        assert self.last is not None
        events = await self.platform.ledger.journal.events_after(0, self.last.id)
        return " ".join(
            f"{event.data['promotionStage']}/{event.data['status']}"
            for event in events
            if event.type is EventType.STAGE_CHANGED and event.service_name == service
        )


@asynccontextmanager
async def shop(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    """One whose `web` has a readiness check; nothing is deployed yet."""
    for module, name in (
        (readiness, "_LOOK_S"), (readiness, "_WORKER_LOOK_S"),
        (drain, "_SETTLE_S"), (drain, "_QUIET_S"), (drain, "_LOOK_PAUSE_S"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, 0)
    home, machine, root = Home(folder / "home"), Machine(), folder / NAME
    home.create()
    root.mkdir()
    journal = Journal(home.journal)
    await journal.open()
    # No power cut is tested here, and waiting for the disk takes most of the time.
    await journal._call(lambda: journal._open_connection().execute("PRAGMA synchronous = OFF"))
    log = CompartmentLog(home.logs)
    ledger, engines = Ledger(journal, log), one_engine(machine)
    router = Router(ledger, cast("Gateway", machine), engines)
    try:
        async with (
            httpx.AsyncClient(transport=httpx.MockTransport(machine.answer)) as probes,
            asyncio.TaskGroup() as tasks,
        ):
            parts = Parts(
                home, ledger, router, engines, probes, asyncio.Semaphore(2), kept_releases=KEPT
            )
            platform = Platform(parts, cast("Gateway", machine), tasks)
            await ledger.load()
            try:
                yield Shop(platform, machine, root)
            finally:
                for task, _ in list(platform.runs._running.values()):
                    task.cancel()
    finally:
        log.close()
        await journal.close()
