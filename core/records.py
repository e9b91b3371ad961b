"""What the journal keeps: runs, deployments, activations, and where an environment lives.

Frozen: a change is a new record, written before it is acted on.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from core.container import Protocol  # noqa: TC001 - the journal reads it
from core.model import (
    EngineName,
    ExecutionStatus,
    ExecutionTrigger,
    Health,
    RouteRule,
    Service,
    Stage,
    Status,
    Trigger,
)

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"


def new_id(prefix: str) -> str:
    """An id such as `dep_k3v9…`: 60 random bits in lower-case base32."""
    return f"{prefix}_{''.join(secrets.choice(_ALPHABET) for _ in range(12))}"


@dataclass(frozen=True, slots=True)
class Target:
    """A project's environment: what one run at a time may change."""

    project: str
    environment: str

    def __str__(self) -> str:
        return f"{self.project}/{self.environment}"


@dataclass(frozen=True, slots=True)
class EnvironmentRecord:
    """The engine that an environment was first deployed with, and where its project is."""

    target: Target
    engine: EngineName
    root: str
    """The folder of the project."""
    files: tuple[str, ...] = ()
    """Compose files that were named at its last deploy, with their paths."""
    env_files: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostRecord:
    """A host name, which stays with its service once it was given out."""

    host: str
    target: Target
    service: str
    is_public: bool
    """Whether the public listener answers for it: only for a `web` service."""
    inner_port: int | None = None
    """The port of this machine where the other services of its environment reach it."""


@dataclass(frozen=True, slots=True)
class Variable:
    """The value of a variable; what is sensitive is never shown again to anybody."""

    value: str
    is_sensitive: bool = False


@dataclass(frozen=True, slots=True)
class VariableRecord:
    """A variable that was set for an environment, or for one service in it.

    In force from the next deployment on, which keeps its own copy.
    """

    target: Target
    service: str | None
    name: str
    variable: Variable
    updated_at: str


@dataclass(frozen=True, slots=True)
class VariableRemoved:
    """A variable that is no longer set: written like a record, it takes the one there was away."""

    target: Target
    service: str | None
    name: str


@dataclass(frozen=True, slots=True)
class UserRecord:
    """Somebody who may see the services of an environment whose access mode is `authenticated`."""

    target: Target
    name: str
    digest: str = field(repr=False)
    """What the gateway compares a password with; the password itself is not kept."""


@dataclass(frozen=True, slots=True)
class UserRemoved:
    """A user who may not any more."""

    target: Target
    name: str


class Tls(StrEnum):
    """How a domain gets its certificate."""

    NONE = "none"
    """It is served in clear."""
    FILES = "files"
    """From files that somebody else renews."""
    ACME = "acme"
    """From an authority, by us."""


@dataclass(frozen=True, slots=True)
class CertificateRecord:
    """The certificate that clients of a domain are shown."""

    valid_from: str
    valid_until: str
    issuer: str
    taken_at: str
    """When it was taken; of those that we get ourselves, when they were issued."""


@dataclass(frozen=True, slots=True)
class DomainRecord:
    """A host name of its owner's that leads to a `web` service of an environment."""

    host: str
    target: Target
    service: str
    tls: Tls = Tls.NONE
    certificate_file: str | None = None
    key_file: str | None = None
    created_at: str = ""
    certificate: CertificateRecord | None = None
    """None while the first one is awaited."""
    failure: str | None = None
    """Why the last try to get or to take a newer one came to nothing."""
    failed_at: str | None = None
    failures: int = 0
    """How many tries in a row."""
    next_try_at: str | None = None
    """When an authority is asked again."""

    def changed(self, **fields: Any) -> DomainRecord:
        """The same domain with some fields changed."""
        return replace(self, **fields)


@dataclass(frozen=True, slots=True)
class DomainRemoved:
    """A host name that leads nowhere any more."""

    host: str


@dataclass(frozen=True, slots=True)
class Run:
    """The deployments of one command."""

    id: str
    target: Target
    trigger: Trigger
    status: Status
    created_at: str
    deployment_ids: tuple[str, ...] = ()
    label: str | None = None
    completed_at: str | None = None
    failure_message: str | None = None
    failure_code: str | None = None
    """The code of the error that ended it, such as `deployment_target_busy` or `cancelled`."""
    cut_requests: int = 0
    """Requests that were cut at the drain limit; streams that were asked to close do not count."""
    not_serving: tuple[str, ...] = ()
    """Services that were live before and are not after it failed: their way back failed too."""
    is_held: bool = False
    """Whether it waits before its switch until somebody lets it go on."""
    because: str | None = None
    """Why the platform began it by itself; None where somebody asked for it."""

    def changed(self, **fields: Any) -> Run:
        """The same run with some fields changed."""
        return replace(self, **fields)

    def as_json(self) -> dict[str, Any]:
        """The run as front ends see it."""
        return {
            "id": self.id,
            "project": self.target.project,
            "environment": self.target.environment,
            "trigger": self.trigger,
            "status": self.status,
            "deploymentIds": list(self.deployment_ids),
            "label": self.label,
            "createdAt": self.created_at,
            "completedAt": self.completed_at,
            "failureMessage": self.failure_message,
            "failureCode": self.failure_code,
            "cutRequests": self.cut_requests,
            "notServing": list(self.not_serving),
            "isHeld": self.is_held,
            "because": self.because,
        }


@dataclass(frozen=True, slots=True)
class Watched:
    """A deployment that is rolled back by itself if it turns out to be worse than the one before.

    What that one was like is None where nobody has seen it.
    """

    until: str
    """When it has proved itself."""
    was_unhealthy: bool | None = None
    """Whether what it replaced was unhealthy, too."""
    error_rate_before: float | None = None
    """The part of the replies of what it replaced that were 5xx, while its run went on."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One service of one run, and all that is needed to start it again without a build."""

    id: str
    run_id: str
    target: Target
    service: Service
    rules: tuple[RouteRule, ...]
    """The route rules that are `on` this service, as they were when it was queued."""
    artifact_id: str
    variables: dict[str, str]
    """What its processes see of the environment of whoever deployed it."""
    created_at: str
    engine: EngineName = EngineName.PROCESS
    """What its artifact was built by, and its instances run on."""
    status: Status = Status.QUEUED
    stage: Stage = Stage.BUILDING
    health: Health = Health.PENDING
    health_reason: str | None = None
    """Why it is unhealthy, in words for people."""
    is_active: bool = False
    label: str | None = None
    route_host: str | None = None
    activations: int = 0
    """How many times it was started; the next activation is named by the next number."""
    activated_at: str | None = None
    completed_at: str | None = None
    failure_message: str | None = None
    returns_to: tuple[Status, Stage] | None = None
    """What it is again when the rollback that starts it fails; None outside a rollback."""
    assigned: dict[str, Variable] = field(default_factory=dict)
    """The variables of its environment and service, as they were set when it was queued."""
    promoted_from: str | None = None
    """The deployment of another environment whose artifact and configuration it has."""
    replaced: str | None = None
    """The deployment that was active when it became so."""
    watched: Watched | None = None
    """Only after its switch, while it is active, until another run begins."""
    returned_because: str | None = None
    """Why the platform went back to it by itself."""

    def changed(self, **fields: Any) -> Deployment:
        """The same deployment with some fields changed."""
        return replace(self, **fields)

    def as_json(self) -> dict[str, Any]:
        """The deployment under the documented keys, without what the gateway and engine know."""
        return {
            "id": self.id,
            "deploymentRunId": self.run_id,
            "serviceName": self.service.name,
            "kind": self.service.kind,
            "accessMode": self.service.access_mode,
            "status": self.status,
            "health": self.health,
            "healthReason": self.health_reason,
            "promotionStage": self.stage,
            "isActive": self.is_active,
            "label": self.label,
            "failureMessage": self.failure_message,
            "createdAt": self.created_at,
            "completedAt": self.completed_at,
            "promotedFrom": self.promoted_from,
            "watchedUntil": self.watched.until if self.watched else None,
            "returnedBecause": self.returned_because,
        }


class ActivationState(StrEnum):
    """Where an activation is: a candidate turns live, then drains, then is gone.

    One that must not run beside its successor stands aside meanwhile: stopped, and live again if
    the successor fails.
    """

    CANDIDATE = "candidate"
    LIVE = "live"
    ASIDE = "aside"
    DRAINING = "draining"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class ServedPort:
    """A port that the instances of an activation listen on, and what is spoken there."""

    number: int
    protocol: Protocol
    """`http` or `tcp`: when it is served, somebody has looked."""
    addresses: tuple[tuple[str, int], ...]
    """Where it answers, one for each instance."""


@dataclass(frozen=True, slots=True)
class Activation:
    """One time that a deployment serves; it names instances and a cluster that never return."""

    deployment_id: str
    number: int
    state: ActivationState
    started_at: str
    replicas: int = 1
    addresses: tuple[tuple[str, int], ...] = ()
    """Where its instances answer, in the order of their names; empty until all were started."""
    unhealthy: int = 0
    """How many of its instances are, as far as that is known."""
    ports: tuple[ServedPort, ...] = ()
    """Of a Compose service: all that the gateway leads to it, the main one first."""
    finished: tuple[str, ...] = ()
    """Those of its instances that have done what they were to do, and were seen to end by it."""
    replaced_by: str | None = None
    """The run whose switch took the traffic away, while it drains; or for which it stands aside."""

    @property
    def name(self) -> str:
        """The name of its cluster and of its first instance, such as `dep_k3v9….2`."""
        return f"{self.deployment_id}.{self.number}"

    @property
    def instance_names(self) -> tuple[str, ...]:
        """The names of its instances: the first one's is its own, then `dep_k3v9….2-2`."""
        return (self.name, *(f"{self.name}-{each}" for each in range(2, self.replicas + 1)))


@dataclass(frozen=True, slots=True)
class Execution:
    """One time that a job or a cron ran, or should have; its id, `exe_…`, names its instance."""

    id: str
    deployment_id: str
    target: Target
    service: str
    trigger: ExecutionTrigger
    status: ExecutionStatus
    started_at: str
    """When it was started, or decided that it is not."""
    due_at: str | None = None
    """When the schedule wanted it."""
    ended_at: str | None = None
    exit_code: int | None = None
    message: str | None = None
    """How it ended, in words."""
    missed: int = 0
    """How many times it was due, where this one stands for several that were missed."""

    def changed(self, **fields: Any) -> Execution:
        """The same execution with some fields changed."""
        return replace(self, **fields)

    def as_json(self) -> dict[str, Any]:
        """The execution as front ends see it."""
        return {
            "id": self.id,
            "deploymentId": self.deployment_id,
            "project": self.target.project,
            "environment": self.target.environment,
            "serviceName": self.service,
            "trigger": self.trigger,
            "status": self.status,
            "dueAt": self.due_at,
            "startedAt": self.started_at,
            "endedAt": self.ended_at,
            "exitCode": self.exit_code,
            "message": self.message,
            "missed": self.missed,
        }
