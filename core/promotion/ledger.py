"""What is true now: the journal's present, folded in memory, with one writer."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

from core.ending import to_the_end
from core.events import Event, EventType
from core.journal.schema import Removed
from core.lines import stamp
from core.promotion.masking import masked, secrets_in
from core.promotion.moments import Moments
from core.records import (
    Activation,
    ActivationState,
    Deployment,
    DomainRecord,
    DomainRemoved,
    EnvironmentRecord,
    Execution,
    HostRecord,
    Run,
    Target,
    UserRecord,
    UserRemoved,
    VariableRecord,
    VariableRemoved,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from core.journal import Journal, Record
    from core.logs.writer import CompartmentLog
    from core.model import Service

VariableKey = tuple[Target, str | None, str]
"""Where a variable stands: its environment, its service if it is of one, and its name."""

T = TypeVar("T")

_LATELY_S = 5.0


class Ledger:
    """Runs, deployments and activations that matter now; the past is asked from the journal.

    `write` is the only way to change anything: journalled first, then seen by others.
    """

    def __init__(self, journal: Journal, log: CompartmentLog) -> None:
        self.journal = journal
        self.log = log
        self.mask = log.mask
        """Hides every secret of this home in what the platform itself says."""
        self.runs: dict[str, Run] = {}
        self.deployments: dict[str, Deployment] = {}
        self.activations: dict[str, Activation] = {}
        self.environments: dict[Target, EnvironmentRecord] = {}
        self.hosts: dict[str, HostRecord] = {}
        self.variables: dict[VariableKey, VariableRecord] = {}
        self.users: dict[tuple[Target, str], UserRecord] = {}
        self.domains: dict[str, DomainRecord] = {}
        self.executions: dict[str, Execution] = {}
        """Those that run."""
        self._live: dict[str, Activation] = {}
        """By deployment."""
        self._forgotten: dict[str, tuple[float, Deployment]] = {}
        """Deployments of the past, with the time at which they became that."""
        self._changed = asyncio.Event()
        self._writing = asyncio.Lock()
        self._committing: Sequence[Record] = ()
        self._moments = Moments()

    async def load(self) -> None:
        """Reads the present from the journal."""
        self._moments = Moments(*await self.journal.latest_moments())
        self.runs = {run.id: run for run in await self.journal.unfinished_runs()}
        self.deployments = {each.id: each for each in await self.journal.current_deployments()}
        self.activations = {each.name: each for each in await self.journal.current_activations()}
        for each in self.activations.values():
            self._keep_live(each)
        self.environments = {each.target: each for each in await self.journal.environments()}
        self.hosts = {each.host: each for each in await self.journal.hosts()}
        self.variables = {
            (each.target, each.service, each.name): each for each in await self.journal.variables()
        }
        self.users = {(each.target, each.name): each for each in await self.journal.users()}
        self.domains = {each.host: each for each in await self.journal.domains()}
        self.executions = {each.id: each for each in await self.journal.running_executions()}
        known: list[Record] = [
            *self.variables.values(),
            *self.users.values(),
            *self.deployments.values(),
        ]
        self.mask.add(value for record in known for value in secrets_in(record))

    async def write(self, *records: Record) -> None:
        """Commits records together, then makes them seen: here, in the logs, and to subscribers.

        Raises:
            JournalError: nothing was changed.
        """
        await self.update(lambda: records)

    async def update(self, change: Callable[[], Sequence[Record]]) -> None:
        """The same for records that depend on the present, which `change` sees undisturbed.

        A cancellation never leaves the journal with something that is not true here.
        """
        await to_the_end(self._update(change))

    async def _update(self, change: Callable[[], Sequence[Record]]) -> None:
        async with self._writing:
            self._committing = change()
            try:
                if self._committing:
                    await self._commit(self._committing)
            finally:
                self._committing = ()

    async def _commit(self, records: Sequence[Record]) -> None:
        for record in records:
            self.mask.add(secrets_in(record))
        records = [self._dated(masked(record, self.mask)) for record in records]
        events = await self.journal.commit(records)
        for record in records:
            self._fold(record)
        for event in events:
            if event.deployment_id:
                self.log.write(event.deployment_id, event.message)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _dated(self, record: Record) -> Record:
        """Whatever the clock says: history is in the order in which it is written here."""
        match record:
            case Run():
                return self._moments.of_run(record, self.runs.get(record.id))
            case Deployment():
                return self._moments.of_deployment(record, self.deployments.get(record.id))
            case Execution():
                return self._moments.of_execution(record, self.executions.get(record.id))
        return record

    def _fold(self, record: Record) -> None:
        if isinstance(record, Removed):
            self._fold_removed(record)
            return
        match record:
            case Run():
                _keep(self.runs, record.id, record, is_over=record.status.is_final)
            case Deployment():
                self.deployments[record.id] = record
            case Activation():
                is_over = record.state is ActivationState.GONE
                _keep(self.activations, record.name, record, is_over=is_over)
                self._keep_live(record)
            case Execution():
                _keep(self.executions, record.id, record, is_over=record.status.is_final)
            case _:
                self._fold_settled(record)

    def _fold_settled(self, record: Record) -> None:
        """What stands until somebody changes it."""
        match record:
            case EnvironmentRecord():
                self.environments[record.target] = record
            case HostRecord():
                self.hosts[record.host] = record
            case VariableRecord():
                self.variables[record.target, record.service, record.name] = record
            case UserRecord():
                self.users[record.target, record.name] = record
            case DomainRecord():
                self.domains[record.host] = record

    def _fold_removed(self, record: Removed) -> None:
        match record:
            case VariableRemoved():
                self.variables.pop((record.target, record.service, record.name), None)
            case UserRemoved():
                self.users.pop((record.target, record.name), None)
            case DomainRemoved():
                self.domains.pop(record.host, None)

    def forget_past(self) -> None:
        """Drops what is neither active nor on its way, has no instance, and is of no open run."""
        held = {each.deployment_id for each in self.activations.values()}
        begun = [each for each in self._committing if isinstance(each, Execution)]
        held.update(each.deployment_id for each in (*self.executions.values(), *begun))
        held.update(id_ for run in self.runs.values() for id_ in run.deployment_ids)
        kept: dict[str, Deployment] = {}
        at = time.monotonic()
        lately = {id_: found for id_, found in self._forgotten.items() if at - found[0] < _LATELY_S}
        for each in self.deployments.values():
            if each.is_active or not each.status.is_final or each.id in held:
                kept[each.id] = each
            else:
                lately[each.id] = (at, each)
        self.deployments, self._forgotten = kept, lately

    def lately_forgotten(self) -> dict[str, Deployment]:
        """What has become the past so lately that whoever looks from time to time may miss it."""
        at = time.monotonic()
        forgotten = self._forgotten.items()
        return {id_: found[1] for id_, found in forgotten if at - found[0] < _LATELY_S}

    async def forget_environment(self, target: Target) -> None:
        """Frees a project's name, so that another folder or engine may take it.

        Unless a run is on its way there: it counts on what it has found.
        """
        await to_the_end(self._forget_environment(target))

    async def _forget_environment(self, target: Target) -> None:
        async with self._writing:
            if not any(run.target == target for run in self.runs.values()):
                await self.journal.forget_environment(target)
                self.environments.pop(target, None)

    def next_change(self) -> asyncio.Event:
        """What the next write sets; taken before reading, so that nothing falls in between."""
        return self._changed

    async def wait_change(self) -> None:
        """Returns at the next write."""
        await self._changed.wait()

    def active(self, target: Target) -> dict[str, Deployment]:
        """The active deployment of each service of an environment."""
        return {
            each.service.name: each
            for each in self.deployments.values()
            if each.is_active and each.target == target
        }

    def is_used(self, target: Target) -> bool:
        """Whether anything is active in an environment, or on its way there."""
        runs = (run.target == target for run in self.runs.values())
        return bool(self.active(target)) or any(runs)

    def coming(self, target: Target) -> dict[str, Service]:
        """What is active in an environment, or will be if all goes well, by name."""
        return {
            each.service.name: each.service
            for each in self.deployments.values()
            if each.target == target and (each.is_active or not each.status.is_final)
        }

    def live(self, deployment_id: str) -> Activation | None:
        """The live activation of a deployment."""
        return self._live.get(deployment_id)

    def _keep_live(self, activation: Activation) -> None:
        before = self._live.get(activation.deployment_id)
        if activation.state is ActivationState.LIVE:
            self._live[activation.deployment_id] = activation
        elif before is not None and before.name == activation.name:
            del self._live[activation.deployment_id]

    def candidates(self, run: Run) -> list[Activation]:
        """What a run has started, and what is not live yet."""
        return [
            each
            for each in self.activations.values()
            if each.state is ActivationState.CANDIDATE and each.deployment_id in run.deployment_ids
        ]

    def draining(self, run_id: str) -> list[Activation]:
        """What is drained because of a run."""
        return self._because_of(run_id, ActivationState.DRAINING)

    def aside(self, run_id: str) -> list[Activation]:
        """What stands aside for a run."""
        return self._because_of(run_id, ActivationState.ASIDE)

    def _because_of(self, run_id: str, state: ActivationState) -> list[Activation]:
        return [
            each
            for each in self.activations.values()
            if each.state is state and each.replaced_by == run_id
        ]


def _keep(known: dict[str, T], key: str, record: T, *, is_over: bool) -> None:
    """Takes a record over; what is over is the journal's alone."""
    if is_over:
        known.pop(key, None)
    else:
        known[key] = record


def target_event(
    type_: EventType, target: Target, message: str, service: str | None = None, **data: Any
) -> Event:
    """An event that tells of an environment, or of a service in it."""
    return Event(
        type=type_,
        at=stamp(),
        message=message,
        project=target.project,
        environment=target.environment,
        service_name=service,
        data=data,
    )


def run_event(type_: EventType, run: Run, message: str, **data: Any) -> Event:
    """An event that tells of a whole run."""
    return Event(
        type=type_,
        at=stamp(),
        message=message,
        project=run.target.project,
        environment=run.target.environment,
        run_id=run.id,
        data=data,
    )


def deployment_event(
    type_: EventType,
    deployment: Deployment,
    message: str,
    *,
    run_id: str | None = None,
    **data: Any,
) -> Event:
    """An event that tells of one deployment; its message is a line of the `compartment` stream."""
    return Event(
        type=type_,
        at=stamp(),
        message=message,
        project=deployment.target.project,
        environment=deployment.target.environment,
        run_id=run_id or deployment.run_id,
        deployment_id=deployment.id,
        service_name=deployment.service.name,
        data=data,
    )
