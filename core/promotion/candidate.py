"""A candidate: built, started beside the live one, checked. Nothing live is touched here."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from core.ending import single_error
from core.engines.base import InstanceSpec, Owner
from core.errors import CompartmentError
from core.events import EventType
from core.lines import stamp
from core.model import Stage, Status
from core.promotion import readiness
from core.promotion.failure import DeploymentFailed
from core.promotion.hosts import LOOPBACK
from core.promotion.ledger import deployment_event
from core.promotion.progress import WaitKind
from core.promotion.states import Move, move
from core.records import Activation, ActivationState

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Sequence

    from core.engines.base import Engine, Instance, Source, Variables
    from core.events import Event
    from core.model import Readiness
    from core.promotion.parts import Parts
    from core.promotion.progress import Waiting
    from core.records import Deployment

Result = TypeVar("Result")

_RELEASE_LIMIT_S: Final = 600.0
"""Spec, 1.7."""

_RELEASE_FAILED: Final = "release failed"

_BUILD_LINES: Final = 20
"""How many lines of a build that fails its failure carries."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a run does with one service. Without a source it starts a kept deployment again."""

    deployment: Deployment
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A checked candidate, waiting at the barrier."""

    activation: Activation
    instances: tuple[Instance, ...]


class Preparation:
    """Takes one step of a run up to the barrier."""

    def __init__(self, parts: Parts, run_id: str, step: Step) -> None:
        self._parts = parts
        self._run_id = run_id
        self._source = step.source
        self._id = step.deployment.id
        self._built = deque[str](maxlen=_BUILD_LINES)
        """What the build said last."""

    @property
    def deployment(self) -> Deployment:
        """The deployment as it is now."""
        return self._parts.ledger.deployments[self._id]

    @property
    def _engine(self) -> Engine:
        return self._parts.engine_of(self.deployment)

    async def prepare(self) -> Candidate:
        """Builds, starts and checks.

        Raises:
            DeploymentFailed: it cannot become live; its instance, if any, is still there.
        """
        try:
            if self._source is not None:
                await self._build_or_fail(self._source)
                await self._release()
            instances = await self._start()
            await self._check(instances)
        except CompartmentError as error:
            raise DeploymentFailed(error.message, guess=error.hint, code=error.code) from error
        activation = self._parts.ledger.activations[instances[0].name]
        return Candidate(activation, instances)

    async def _build_or_fail(self, source: Source) -> None:
        try:
            await self._build(source)
        except CompartmentError as error:
            raise DeploymentFailed(
                error.message, guess=error.hint, code=error.code, build=tuple(self._built)
            ) from error

    async def _build(self, source: Source) -> None:
        slots, waits = self._parts.build_slots, self._parts.progress.waits
        with waits(WaitKind.BUILD_SLOT, self._id, detail="other builds are going on"):
            await slots.acquire()
        try:
            await self._move(Move.BEGIN)
            if source.is_built:
                self._say("nothing to build: the same content was built before")
            with waits(WaitKind.BUILD, self._id) as waiting:
                owner = owner_of(self.deployment)
                await self._engine.build(source, owner, lambda line: self._show(line, waiting))
        finally:
            slots.release()
        self._say("build complete")

    def _show(self, line: str, waiting: Waiting) -> None:
        waiting.detail = line
        self._built.append(line)
        self._say(line)

    async def _release(self) -> None:
        """Runs the release command, once for each deploy: what is built may need a migration."""
        deployment = self.deployment
        command = deployment.service.release_command
        if command is None:
            return
        self._say(f"release: {command}")
        spec = InstanceSpec(
            name=f"{deployment.id}.release",
            owner=owner_of(deployment),
            service=deployment.service,
            artifact_id=deployment.artifact_id,
            variables=variables_of(self._parts, deployment),
            log=self._parts.home.logs / deployment.id / f"{deployment.id}.release.log",
        )
        with self._parts.progress.waits(
            WaitKind.RELEASE, self._id, limit_s=_RELEASE_LIMIT_S, detail=command
        ):
            try:
                ended = await self._engine.release(spec, command, _RELEASE_LIMIT_S)
            except TimeoutError:
                limit = f"{_RELEASE_LIMIT_S / 60:g} minutes"
                raise DeploymentFailed(
                    f"`{command}` did not end within {limit}", phase=_RELEASE_FAILED
                ) from None
        if ended.code != 0:
            raise DeploymentFailed(f"`{command}` {ended}", phase=_RELEASE_FAILED)
        self._say("release complete")

    async def _start(self) -> tuple[Instance, ...]:
        activations, replicas = self.deployment.activations + 1, self.deployment.service.replicas
        activation = Activation(
            self._id, activations, ActivationState.CANDIDATE, stamp(), replicas=replicas
        )
        if self.deployment.status is Status.RUNNING:
            await self._move(Move.START_CANDIDATE, activation, activations=activations)
        else:
            await self._move(Move.REACTIVATE, activation, activations=activations)
        specs = instance_specs(self._parts, activation)
        with single_error():
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._engine.start(spec)) for spec in specs]
        instances = tuple(task.result() for task in tasks)
        activation = replace(activation, addresses=tuple(each.address for each in instances))
        await self._parts.ledger.write(activation)
        await self._parts.router.open_entrances()
        return instances

    async def _check(self, instances: Sequence[Instance]) -> None:
        """All of them have to pass."""
        block = self.deployment.service.readiness
        if block is None and all(each.own_health is None for each in instances):
            self._say("no readiness check: it is switched to as soon as it is up")
            await _all(readiness.look(each) for each in instances)
            return
        await self._move(Move.CHECK_READINESS)
        with self._parts.progress.waits(WaitKind.READINESS, self._id) as waiting:
            found = await _all(self._check_one(each, block, waiting) for each in instances)
        slowest = max(found, key=lambda ready: ready.seconds)
        event = deployment_event(
            EventType.READINESS_PASSED,
            self.deployment,
            f"ready after {slowest.seconds:.2f} s",
            run_id=self._run_id,
            tries=slowest.tries,
        )
        await self._parts.ledger.write(event)

    async def _check_one(
        self, instance: Instance, block: Readiness | None, waiting: Waiting
    ) -> readiness.Ready:
        if block is None:
            return await readiness.wait_healthy(instance, self._say, waiting)
        return await readiness.check(instance, block, self._parts.probes, self._say, waiting)

    async def _move(self, how: Move, *others: Activation, **fields: int) -> None:
        changed = move(self.deployment, how, **fields)
        event = stage_event(changed, self._run_id)
        await self._parts.ledger.write(changed, *others, event)

    def _say(self, text: str) -> None:
        self._parts.ledger.log.write(self._id, text)


def stage_event(deployment: Deployment, run_id: str) -> Event:
    """Tells of a stage that was reached."""
    success = " — deployment succeeded" if deployment.stage is Stage.ACTIVE else ""
    return deployment_event(
        EventType.STAGE_CHANGED,
        deployment,
        f"stage: {deployment.stage}{success}",
        run_id=run_id,
        promotionStage=deployment.stage,
        status=deployment.status,
        isActive=deployment.is_active,
    )


async def _all(work: Iterable[Coroutine[None, None, Result]]) -> list[Result]:
    """The results of all, or the first error; the others are cancelled then."""
    with single_error():
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    return [task.result() for task in tasks]


def owner_of(deployment: Deployment) -> Owner:
    """Whose a deployment's artifact and instances are."""
    return Owner(deployment.target, deployment.service.name, deployment.id)


def variables_of(parts: Parts, deployment: Deployment) -> Variables:
    """What every process of a deployment sees."""
    return {
        **parts.router.hosts.urls_of(deployment.target),
        **deployment.variables,
        "COMPARTMENT_PROJECT": deployment.target.project,
        "COMPARTMENT_ENVIRONMENT": deployment.target.environment,
        "COMPARTMENT_SERVICE": deployment.service.name,
        "COMPARTMENT_DEPLOYMENT": deployment.id,
    }


def instance_specs(parts: Parts, activation: Activation) -> list[InstanceSpec]:
    """What the engine needs to start, or start again, the instances of an activation."""
    deployment = parts.ledger.deployments[activation.deployment_id]
    taken = {at for each in parts.ledger.activations.values() for at in each.addresses}
    inner = {each.inner_port for each in parts.ledger.hosts.values()}
    taken |= {(LOOPBACK, port) for port in inner if port is not None}
    known = activation.addresses or (None,) * activation.replicas
    return [
        InstanceSpec(
            name=name,
            owner=owner_of(deployment),
            service=deployment.service,
            artifact_id=deployment.artifact_id,
            variables=variables_of(parts, deployment),
            log=parts.home.logs / deployment.id / f"{name}.log",
            taken=frozenset(taken),
            address=address,
        )
        for name, address in zip(activation.instance_names, known, strict=True)
    ]
