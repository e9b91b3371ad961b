"""The plans whose every step is crashed at: what is done, to which project, and what is left."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.proof.crash_facts import Expected
from tests.proof.crash_steps import Point, Side

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.e2e.house import LabProject
    from tests.proof.crash_scene import Scene

Services = dict[str, dict[str, Any]]

SLEEPS = {"command": "exec sleep 100000"}
API: dict[str, Any] = {"kind": "api"}
WORKER: dict[str, Any] = {"kind": "worker", "readiness": None, "run": SLEEPS}
JOB: dict[str, Any] = {"kind": "job", "readiness": None, "run": {"command": "true"}}
NEVER_READY: dict[str, Any] = {
    "lab": {"never_ready": 1},
    "readiness": {"type": "http", "path": "/up", "timeoutMs": 400},
}


async def nothing(_: Scene) -> None:
    """What there is to begin where the agent itself goes on with something."""


async def a_new_version(scene: Scene) -> None:
    """What is live has something before it."""
    await scene.deployed()


@dataclass(frozen=True)
class Plan:
    """Something that is done to a project; `begin` is what dies with its agent."""

    name: str
    services: Services
    begin: Callable[[Scene], Awaitable[None]] = nothing
    prepare: Callable[[Scene], Awaitable[None]] = a_new_version
    crosses: tuple[str, ...] = ()
    """The entries of the transition table that it stands for in the short form."""
    before: Callable[[Scene], Awaitable[None]] = a_new_version
    """What is done once, to have the project there at all."""
    environment: str = "production"
    may_be_gone: bool = False
    """Whether it may leave nothing behind; the load is then on another project."""
    is_recovery: bool = False
    """Whether it is the agent after a crash that dies, from its first commit on."""
    engines: tuple[str, ...] = ("process", "docker")

    def expected(self, lab: LabProject) -> Expected:
        """What must be active when it is over, whatever came of it."""
        services = frozenset(self.services)
        return Expected(lab.name, self.environment, services, self.may_be_gone)

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


async def _deploy(scene: Scene) -> None:
    scene.lab.bump()
    await scene.run()


async def _redeploy(scene: Scene) -> None:
    await scene.run("redeploy")


def _deploy_with(**services: dict[str, Any]) -> Callable[[Scene], Awaitable[None]]:
    async def begin(scene: Scene) -> None:
        scene.lab.write(**services)
        await _deploy(scene)

    return begin


async def _a_new_project(scene: Scene) -> None:
    await scene.deployed()
    await scene.take_down()
    scene.begin_anew()


async def _take_down(scene: Scene) -> None:
    await scene.take_down()


async def _rollback(scene: Scene) -> None:
    await scene.run("rollback")


async def _rolled_back(scene: Scene) -> None:
    await scene.deployed()
    scene.noted = await scene.active_id()
    await scene.deployed("rollback")


async def _backoffice_taken_down(scene: Scene) -> None:
    await scene.deployed()
    scene.noted = await scene.active_id("backoffice")
    await scene.take_down("backoffice")
    await scene.deployed()


async def _back_to_noted(scene: Scene) -> None:
    await scene.run("rollback", to=scene.noted)


async def _rotten(scene: Scene) -> None:
    """What a rollback goes back to does not start any more."""
    await scene.deployed()
    rotten = scene.artifact_of(await scene.active_id())
    await scene.deployed()
    (rotten / "server.py").write_text("raise SystemExit('rotten')")


async def _both_environments(scene: Scene) -> None:
    await scene.deployed(environment="staging")
    await scene.deployed("promote", sourceEnvironment="staging")


async def _new_on_staging(scene: Scene) -> None:
    await scene.deployed(environment="staging")


async def _promote(scene: Scene) -> None:
    await scene.run("promote", sourceEnvironment="staging")


async def _cancel_the_second(scene: Scene) -> None:
    scene.lab.write(web={"lab": {"boot_delay_ms": 500}})
    scene.lab.bump()
    first = await scene.submit()
    await scene.running.client.hold(first)
    second = await scene.submit("redeploy")
    await scene.running.client.cancel(second)
    await scene.running.client.resume(first)
    await scene.follow(first)


async def _cancel(scene: Scene) -> None:
    scene.lab.write(web={"lab": {"never_ready": 1}})
    scene.lab.bump()
    run_id = await scene.submit()
    await scene.running.until(run_id, "StageChanged", promotionStage="checking_readiness")
    await scene.running.client.cancel(run_id)


def _dead_at(side: Side, crossed: str) -> Callable[[Scene], Awaitable[None]]:
    async def prepare(scene: Scene) -> None:
        await scene.deployed()
        await scene.dies_at(Point(side, edge=crossed))

    return prepare


async def _dead_with_its_candidates(scene: Scene) -> None:
    await scene.deployed()
    await scene.dies_at(Point(Side.AFTER, edge="switch_route: running, checking_readiness"))
    await asyncio.to_thread(scene.kill_candidates)


_BACKOFFICE: Services = {"web": {}, "backoffice": API}
_STOP_FIRST: Services = {"web": {}, "backoffice": {**API, "strategy": "stop-first"}}
_DRAIN_PREVIOUS = "drain_previous: running, switching_route"

PLANS = (
    Plan(
        "first deploy",
        _BACKOFFICE,
        _deploy,
        _a_new_project,
        crosses=("begin: queued, building", "activate: running, switching_route"),
        may_be_gone=True,
    ),
    Plan(
        "first deploy that fails",
        _BACKOFFICE,
        _deploy_with(backoffice={**API, **NEVER_READY}),
        _a_new_project,
        may_be_gone=True,
    ),
    Plan(
        "deploy",
        {**_BACKOFFICE, "clerk": WORKER},
        _deploy,
        crosses=(
            "start_candidate: running, building",
            "check_readiness: running, starting_candidate",
            "switch_route: running, starting_candidate",
            "switch_route: running, checking_readiness",
            _DRAIN_PREVIOUS,
            "activate: running, draining_previous, active",
            "supersede: succeeded, active, active",
        ),
    ),
    Plan("redeploy", {"web": {}}, _redeploy),
    Plan(
        "build fails",
        _BACKOFFICE,
        _deploy_with(backoffice={**API, "build": {"command": "exit 3"}}),
        crosses=("fail: running, building",),
    ),
    Plan(
        "does not start",
        {"web": {}, "clerk": WORKER},
        _deploy_with(clerk={**WORKER, "run": {"command": "exit 3"}}),
        crosses=("fail: running, starting_candidate",),
    ),
    Plan(
        "does not get ready",
        _BACKOFFICE,
        _deploy_with(backoffice={**API, **NEVER_READY}),
        crosses=("fail: running, checking_readiness",),
    ),
    Plan("cancelled", {"web": {}}, _cancel),
    Plan(
        "cancelled in the queue",
        {"web": {}},
        _cancel_the_second,
        crosses=("fail: queued, building",),
    ),
    Plan(
        "rollback",
        {"web": {}},
        _rollback,
        crosses=("reactivate: succeeded, active", "roll_back: succeeded, active, active"),
    ),
    Plan(
        "rollback to what was rolled back",
        {"web": {}},
        _back_to_noted,
        _rolled_back,
        crosses=("reactivate: succeeded, rolled_back",),
    ),
    Plan(
        "rollback to what was taken down",
        _BACKOFFICE,
        _back_to_noted,
        _backoffice_taken_down,
        crosses=("reactivate: stopped, active",),
    ),
    Plan("rollback fails", {"web": {}}, _rollback, _rotten, engines=("process",)),
    Plan("promote", {"web": {}}, _promote, _new_on_staging, before=_both_environments),
    Plan("stop first", _STOP_FIRST, _deploy),
    Plan(
        "stop first and fails",
        _STOP_FIRST,
        _deploy_with(backoffice={**_STOP_FIRST["backoffice"], **NEVER_READY}),
    ),
    Plan(
        "job before web",
        {"web": {"dependsOn": {"migrate": "completed"}}, "migrate": JOB},
        _deploy,
    ),
    Plan(
        "down",
        _BACKOFFICE,
        _take_down,
        crosses=("stop: succeeded, active, active",),
        may_be_gone=True,
    ),
    Plan(
        "recovery that goes back",
        _BACKOFFICE,
        prepare=_dead_at(Side.AFTER, "start_candidate: running, building"),
        is_recovery=True,
    ),
    Plan(
        "recovery that goes on in the switch",
        _BACKOFFICE,
        prepare=_dead_at(Side.BEFORE, _DRAIN_PREVIOUS),
        is_recovery=True,
    ),
    Plan(
        "recovery that goes on after the switch",
        _BACKOFFICE,
        prepare=_dead_at(Side.AFTER, _DRAIN_PREVIOUS),
        is_recovery=True,
    ),
    Plan(
        "recovery without the candidates",
        _BACKOFFICE,
        prepare=_dead_with_its_candidates,
        crosses=("fail: running, switching_route",),
        is_recovery=True,
        engines=("process",),
    ),
)
