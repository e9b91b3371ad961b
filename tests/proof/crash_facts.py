"""What a journal says after a crash, and whether that can be: who is active, and its history."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from core.events import Event, EventType
from core.journal.schema import ADAPTERS
from core.model import Stage, Status
from core.records import (
    Activation,
    ActivationState,
    Deployment,
    EnvironmentRecord,
    Execution,
    Run,
)

if TYPE_CHECKING:
    from pathlib import Path


T = TypeVar("T")

_TELLS_OF_STATE = (
    EventType.STAGE_CHANGED, EventType.DEPLOYMENT_FAILED, EventType.SERVICE_STOPPED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a journal says, read from its file beside the agent that has it open."""

    environments: list[EnvironmentRecord]
    """Those that were deployed, or tried to, and not taken down."""
    runs: list[Run]
    deployments: list[Deployment]
    activations: list[Activation]
    executions: list[Execution]
    events: list[Event]

    @classmethod
    def read(cls, path: Path) -> Facts:
        """One look at a moment between two commits."""
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as journal:
            journal.execute("BEGIN")
            return cls(
                _all(journal, EnvironmentRecord, "environments"),
                _all(journal, Run, "runs"),
                _all(journal, Deployment, "deployments"),
                _all(journal, Activation, "activations WHERE state != 'gone'"),
                _all(journal, Execution, "executions"),
                _all(journal, Event, "events ORDER BY seq"),
            )

    @property
    def unfinished(self) -> list[Deployment]:
        """What is on its way."""
        return [each for each in self.deployments if not each.status.is_final]

    @property
    def active(self) -> list[Deployment]:
        """What is active, of all environments."""
        return [each for each in self.deployments if each.is_active]


def _all(journal: sqlite3.Connection, kind: type[T], rows: str) -> list[T]:
    adapter = ADAPTERS[kind]
    found = journal.execute(f"SELECT body FROM {rows}").fetchall()
    return [adapter.validate_json(body) for (body,) in found]


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be active in an environment."""

    project: str
    environment: str
    services: frozenset[str]
    may_be_gone: bool = False
    """Whether nothing at all is as good: of a first deploy, or of a `down`."""


def untrue(facts: Facts, expected: Expected) -> list[str]:
    """What the journal says that cannot be, or must not be."""
    return [*_unfinished(facts), *_wrong_active(facts, expected), *_wrong_history(facts)]


def _unfinished(facts: Facts) -> list[str]:
    live = ActivationState.LIVE
    return [
        *(f"{each.id} is {each.status}" for each in facts.runs if not each.status.is_final),
        *(f"{each.id} is {each.status}" for each in facts.unfinished),
        *(f"{each.id} is {each.status}" for each in facts.executions if not each.status.is_final),
        *(f"{each.name} is {each.state}" for each in facts.activations if each.state is not live),
    ]


def _wrong_active(facts: Facts, expected: Expected) -> list[str]:
    found = [
        f"{count} of {service} are active in {target}"
        for (target, service), count in Counter(
            (each.target, each.service.name) for each in facts.active
        ).items()
        if count > 1
    ]
    active = {
        each.service.name
        for each in facts.active
        if (each.target.project, each.target.environment)
        == (expected.project, expected.environment)
    }
    if active != expected.services and not (expected.may_be_gone and not active):
        found.append(f"active: {sorted(active)}, not {sorted(expected.services)}")
    live = {each.deployment_id for each in facts.activations}
    needed = {each.id for each in facts.active if each.service.kind.is_long_running}
    if live != needed:
        found.append(f"activations of {sorted(live)}, but active are {sorted(needed)}")
    return found


def _wrong_history(facts: Facts) -> list[str]:
    """Runs and deployments whose events tell something else than their records."""
    ends: dict[str, list[Event]] = {each.id: [] for each in facts.runs}
    last: dict[str, Event] = {}
    for event in facts.events:
        if event.type is EventType.RUN_FINISHED and event.run_id in ends:
            ends[event.run_id].append(event)
        if event.type in _TELLS_OF_STATE and event.deployment_id:
            last[event.deployment_id] = event
    found = []
    for run in facts.runs:
        told_of = [each.data["status"] for each in ends[run.id]]
        if told_of != [run.status]:
            found.append(f"{run.id} is {run.status}, but its ends tell of {told_of}")
        mine = [each for each in facts.deployments if each.run_id == run.id]
        if run.status is Status.FAILED and any(each.activated_at for each in mine):
            found.append(f"{run.id} failed, but something of it was active")
        if run.status is Status.SUCCEEDED and not all(each.activated_at for each in mine):
            found.append(f"{run.id} succeeded, but something of it was never active")
    for each in facts.deployments:
        told = last.get(each.id)
        if told is None or not _agrees(each, told):
            said = told.message if told else "nothing"
            found.append(f"{each.id} is {each.status}, {each.stage}, but last was told: {said}")
    return found


def _agrees(deployment: Deployment, told: Event) -> bool:
    """Whether the last event that tells of its state tells the state of its record."""
    if told.type is EventType.DEPLOYMENT_FAILED:
        return not deployment.is_active
    if told.type is EventType.SERVICE_STOPPED:
        return deployment.status is Status.STOPPED
    # That it was superseded is told by its successor.
    return (deployment.status, deployment.stage) == (
        told.data["status"], told.data["promotionStage"]
    ) and (told.data["isActive"] or deployment.stage is Stage.ROLLED_BACK)  # fmt: skip
