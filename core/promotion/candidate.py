"""A candidate: built, started beside the live one, checked. Nothing live is touched here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.engines.base import InstanceSpec
from core.errors import CompartmentError
from core.events import EventType
from core.lines import stamp
from core.model import Stage, Status
from core.promotion import readiness
from core.promotion.failure import DeploymentFailed
from core.promotion.ledger import deployment_event
from core.promotion.progress import WaitKind
from core.promotion.states import Move, move
from core.records import Activation, ActivationState

if TYPE_CHECKING:
    from core.engines.base import Instance, Source
    from core.events import Event
    from core.promotion.parts import Parts
    from core.promotion.progress import Waiting
    from core.records import Deployment


@dataclass(frozen=True, slots=True)
class Step:
    """What a run does with one service. Without a source it starts a kept deployment again."""

    deployment: Deployment
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A checked candidate, waiting at the barrier."""

    activation: Activation
    instance: Instance


class Preparation:
    """Takes one step of a run up to the barrier."""

    def __init__(self, parts: Parts, run_id: str, step: Step) -> None:
        self._parts = parts
        self._run_id = run_id
        self._source = step.source
        self._id = step.deployment.id

    @property
    def deployment(self) -> Deployment:
        """The deployment as it is now."""
        return self._parts.ledger.deployments[self._id]

    async def prepare(self) -> Candidate:
        """Builds, starts and checks.

        Raises:
            DeploymentFailed: it cannot become live; its instance, if any, is still there.
        """
        try:
            if self._source is not None:
                await self._build(self._source)
            instance = await self._start()
            await self._check(instance)
        except CompartmentError as error:
            raise DeploymentFailed(error.message, guess=error.hint) from error
        activation = self._parts.ledger.activations[instance.name]
        return Candidate(activation, instance)

    async def _build(self, source: Source) -> None:
        slots, waits = self._parts.build_slots, self._parts.progress.waits
        with waits(WaitKind.BUILD_SLOT, self._id, detail="other builds are going on"):
            await slots.acquire()
        try:
            await self._move(Move.BEGIN)
            if source.is_built:
                self._say("nothing to build: the same content was built before")
            with waits(WaitKind.BUILD, self._id) as waiting:
                await self._parts.engine.build(source, lambda line: self._show(line, waiting))
        finally:
            slots.release()
        self._say("build complete")

    def _show(self, line: str, waiting: Waiting) -> None:
        waiting.detail = line
        self._say(line)

    async def _start(self) -> Instance:
        activations = self.deployment.activations + 1
        activation = Activation(self._id, activations, ActivationState.CANDIDATE, stamp())
        if self.deployment.status is Status.RUNNING:
            await self._move(Move.START_CANDIDATE, activation, activations=activations)
        else:
            await self._move(Move.REACTIVATE, activation, activations=activations)
        instance = await self._parts.engine.start(instance_spec(self._parts, activation))
        activation = replace(activation, address=instance.address)
        await self._parts.ledger.write(activation)
        return instance

    async def _check(self, instance: Instance) -> None:
        block = self.deployment.service.readiness
        if block is None:
            self._say("no readiness check: it is switched to as soon as it is up")
            await readiness.look(instance)
            return
        await self._move(Move.CHECK_READINESS)
        with self._parts.progress.waits(WaitKind.READINESS, self._id) as waiting:
            ready = await readiness.check(instance, block, self._parts.probes, self._say, waiting)
        event = deployment_event(
            EventType.READINESS_PASSED,
            self.deployment,
            f"ready after {ready.seconds:.2f} s",
            run_id=self._run_id,
            tries=ready.tries,
        )
        await self._parts.ledger.write(event)

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


def instance_spec(parts: Parts, activation: Activation) -> InstanceSpec:
    """What the engine needs to start, or start again, an activation."""
    deployment = parts.ledger.deployments[activation.deployment_id]
    injected = {
        "COMPARTMENT_PROJECT": deployment.target.project,
        "COMPARTMENT_ENVIRONMENT": deployment.target.environment,
        "COMPARTMENT_SERVICE": deployment.service.name,
        "COMPARTMENT_DEPLOYMENT": deployment.id,
    }
    addresses = [each.address for each in parts.ledger.activations.values()]
    return InstanceSpec(
        name=activation.name,
        deployment_id=deployment.id,
        service=deployment.service,
        artifact_id=deployment.artifact_id,
        variables={**deployment.variables, **injected},
        log=parts.home.logs / deployment.id / f"{activation.name}.log",
        taken_ports=frozenset(address[1] for address in addresses if address),
        port=activation.address[1] if activation.address else None,
    )
