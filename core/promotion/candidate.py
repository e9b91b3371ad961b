"""A candidate: built, started, checked. Nothing live is touched here."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from core.ending import single_error
from core.errors import CompartmentError
from core.events import EventType
from core.lines import stamp
from core.model import ExecutionStatus, ExecutionTrigger, ServiceKind, Stage, Status
from core.promotion import checking, looking
from core.promotion.doors import check_access
from core.promotion.failure import DeploymentFailed
from core.promotion.ledger import deployment_event
from core.promotion.progress import WaitKind
from core.promotion.specs import instance_specs, owner_of, spec_named
from core.promotion.states import Move, move
from core.records import Activation, ActivationState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from core.engines.base import Engine, Instance, Source
    from core.events import Event
    from core.promotion.parts import Parts
    from core.promotion.progress import Waiting
    from core.records import Deployment, ServedPort

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
    """What is to become live; of a job or a cron nothing runs."""

    activation: Activation | None = None
    instances: tuple[Instance, ...] = ()


class Preparation:
    """Takes one step of a run up to the barrier.

    `build`, `start` and `check` are called in this order, and raise DeploymentFailed where the
    deployment cannot become live; its instances, if any, are still there then.
    """

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

    async def build(self) -> None:
        """Makes the artifact, where it is not one that is kept."""
        deployment = self.deployment
        if self._source is not None:
            with _as_failure(self._built):
                await self._build(self._source)
        elif deployment.status is Status.QUEUED:
            await self._move(Move.BEGIN)
            since = deployment.promoted_from
            origin = f"promoted from {since}" if since else "it is started again as it is"
            self._say(f"nothing to build: {origin}")

    async def start(self) -> Candidate:
        """Runs the release command, and starts the instances; those of a drain are taken back."""
        with _as_failure():
            if self._source is not None:
                await self._release()
            kind = self.deployment.service.kind
            if not kind.is_long_running:
                await self._move(self._first_move)
                return Candidate()
            return await self._take_back() or await self._start()

    async def check(self, candidate: Candidate) -> Candidate:
        """Waits until the instances are ready, or until a job has ended."""
        with _as_failure():
            if candidate.instances:
                await self._check(candidate.instances)
                return await self._look(candidate)
            if self._is_to_be_run:
                await self._run_job()
        return candidate

    async def _look(self, candidate: Candidate) -> Candidate:
        """Finds out what a Compose service serves, now that it is ready."""
        container, activation = self.deployment.service.container, candidate.activation
        if container is None or activation is None:
            return candidate
        ports = await looking.look(container, candidate.instances, activation.ports)
        check_access(self.deployment.service, ports)
        self._say(f"it serves {_in_words(ports)}" if ports else "it listens on no port")
        if ports != activation.ports:
            activation = replace(activation, ports=ports)
            await self._parts.ledger.write(activation)
            await self._parts.router.open_entrances()
        return replace(candidate, activation=activation)

    @property
    def _is_to_be_run(self) -> bool:
        """A job runs for each deploy; a rollback takes back nothing that it has done."""
        deployment = self.deployment
        return deployment.service.kind is ServiceKind.JOB and deployment.returns_to is None

    async def _run_job(self) -> None:
        limit_s = self.deployment.service.time_limit_ms / 1000
        with self._parts.progress.waits(WaitKind.JOB, self._id, limit_s=limit_s):
            ended = await self._parts.executions.run(self.deployment, ExecutionTrigger.DEPLOY)
        if ended.status is not ExecutionStatus.SUCCEEDED:
            raise DeploymentFailed(ended.message or str(ended.status), phase="the job failed")

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
        spec = spec_named(self._parts, deployment, f"{deployment.id}.release")
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

    @property
    def _first_move(self) -> Move:
        is_new = self.deployment.status is Status.RUNNING
        return Move.START_CANDIDATE if is_new else Move.REACTIVATE

    async def _take_back(self) -> Candidate | None:
        """What the run ahead was draining and has handed over: it needs no start."""
        for activation in self._parts.ledger.draining(self._run_id):
            if activation.deployment_id != self._id:
                continue
            adopted = [await self._engine.adopt(name) for name in activation.instance_names]
            instances = tuple(each for each in adopted if each is not None and each.exit is None)
            if len(instances) == activation.replicas:
                await self._move(Move.REACTIVATE)
                self._say("it was still draining: taken back as it is")
                return Candidate(activation, instances)
        return None

    async def _start(self) -> Candidate:
        activations, replicas = self.deployment.activations + 1, self.deployment.service.replicas
        activation = Activation(
            self._id, activations, ActivationState.CANDIDATE, stamp(), replicas=replicas
        )
        await self._move(self._first_move, activation, activations=activations)
        specs = instance_specs(self._parts, activation)
        with single_error():
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._engine.start(spec)) for spec in specs]
        instances = tuple(task.result() for task in tasks)
        activation = replace(activation, addresses=tuple(each.address for each in instances))
        if self.deployment.service.container is not None:
            ports = looking.declared(self.deployment.service.container, instances)
            activation = replace(activation, ports=ports)
        await self._parts.ledger.write(activation)
        await self._parts.router.open_entrances()
        return Candidate(activation, instances)

    async def _check(self, instances: Sequence[Instance]) -> None:
        """All of them have to pass."""
        deployment = self.deployment
        if not checking.has_check(deployment.service, instances):
            self._say("no readiness check: it is switched to as soon as it is up")
            await checking.look(deployment.service, instances)
            return
        await self._move(Move.CHECK_READINESS)
        with self._parts.progress.waits(WaitKind.READINESS, self._id) as waiting:
            slowest = await checking.check(
                deployment.service, instances, self._parts, self._say, waiting
            )
        event = deployment_event(
            EventType.READINESS_PASSED,
            self.deployment,
            f"ready after {slowest.seconds:.2f} s",
            run_id=self._run_id,
            tries=slowest.tries,
        )
        await self._parts.ledger.write(event)

    async def _move(self, how: Move, *others: Activation, **fields: int) -> None:
        changed = move(self.deployment, how, **fields)
        event = stage_event(changed, self._run_id)
        await self._parts.ledger.write(changed, *others, event)

    def _say(self, text: str) -> None:
        self._parts.ledger.log.write(self._id, text)


def _in_words(ports: Iterable[ServedPort]) -> str:
    return ", ".join(f"{each.protocol} on {each.number}" for each in ports)


@contextmanager
def _as_failure(built: Iterable[str] = ()) -> Iterator[None]:
    """Any error of an engine is a failure of the deployment; `built` is what the build said."""
    try:
        yield
    except CompartmentError as error:
        raise DeploymentFailed(
            error.message, guess=error.hint, code=error.code, build=tuple(built)
        ) from error


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
