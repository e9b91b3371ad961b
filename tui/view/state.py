"""What the dashboard knows of one environment, as frozen values; see `Board` for how it changes.

Names and units follow `GET /v1/watch`, which these are read from. Unknown keys are ignored, so that
a recording of a later version still plays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from core.model import AccessMode, Health, ReadinessType, ServiceKind, Stage, Status, Trigger
from tui.view.domain import Domain
from tui.view.execution import Executions
from tui.view.moments import moment

if TYPE_CHECKING:
    from datetime import datetime

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment of a service."""

    id: str
    run_id: str
    status: Status
    health: Health
    stage: Stage
    is_active: bool
    label: str | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None
    started_at: datetime | None = None
    """When its live instance was started; None without one."""
    stage_since: datetime | None = None
    """When it reached its stage, while a run is going on."""
    address: str | None = None
    """Where its instance listens, such as `127.0.0.1:31007`."""
    route_url: str | None = None
    failure_message: str | None = None
    artifact_id: str = ""
    replicas_ready: int = 0
    replicas_desired: int = 1
    restarts: int = 0
    health_reason: str | None = None
    """Why it is unhealthy, in words."""
    readiness_type: ReadinessType | None = None
    """How it is asked whether it is ready; None where nobody asks."""
    readiness_path: str | None = None
    readiness_command: str | None = None
    readiness_timeout_s: float | None = None
    drain_timeout_s: float | None = None
    needs_login: bool = False
    watched_until: datetime | None = None
    """When it has proved itself; until then it may be rolled back by itself."""
    way_back: str = ""
    """When it is rolled back by itself, in words; empty where it never is."""
    way_back_s: float | None = None
    """For how long after its switch."""
    returned_because: str | None = None
    """Why the platform went back to it by itself."""

    @property
    def short_id(self) -> str:
        """Four characters that tell it from its neighbours, such as `k3v9`."""
        return self.id.removeprefix("dep_")[:4]

    @classmethod
    def read(cls, found: Json) -> Self:
        """A deployment as the agent tells of it."""
        replicas = found.get("replicas") or {}
        readiness = found.get("readiness") or {}
        drain = found.get("drain") or {}
        way_back = found.get("autoRollback") or {}
        return cls(
            id=found["id"],
            run_id=found["deploymentRunId"],
            status=Status(found["status"]),
            health=Health(found["health"]),
            stage=Stage(found["promotionStage"]),
            is_active=found["isActive"],
            label=found.get("label"),
            created_at=moment(found.get("createdAt")),
            completed_at=moment(found.get("completedAt")),
            started_at=moment(found.get("startedAt")),
            stage_since=moment(found.get("stageSince")),
            address=found.get("address"),
            route_url=found.get("routeUrl"),
            failure_message=found.get("failureMessage"),
            artifact_id=found.get("artifactId", ""),
            replicas_ready=replicas.get("ready", 0),
            replicas_desired=replicas.get("desired", 1),
            restarts=found.get("restarts", 0),
            health_reason=found.get("healthReason"),
            readiness_type=_readiness_type(readiness),
            readiness_path=readiness.get("path"),
            readiness_command=readiness.get("command"),
            readiness_timeout_s=_seconds(readiness.get("timeoutMs")),
            drain_timeout_s=_seconds(drain.get("timeoutMs")),
            needs_login=found.get("accessMode") == AccessMode.AUTHENTICATED,
            watched_until=moment(found.get("watchedUntil")),
            way_back=way_back.get("words", ""),
            way_back_s=_seconds(way_back.get("windowMs")),
            returned_because=found.get("returnedBecause"),
        )


def _readiness_type(readiness: Json) -> ReadinessType | None:
    """Until there were others, every check was one of a path."""
    return ReadinessType(readiness.get("type", ReadinessType.HTTP)) if readiness else None


def _seconds(milliseconds: float | None) -> float | None:
    return milliseconds / 1000 if milliseconds is not None else None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a deployment waits for at this moment."""

    kind: str
    """`turn`, `buildSlot`, `build`, `release`, `dependency`, `job`, `readiness`, `barrier`, `hold`
    or `drain`."""
    since: datetime | None = None
    limit_s: float | None = None
    """How long it may take, from `since` on; None without a limit."""
    detail: str = ""
    """What the last try showed, such as `GET /healthz → 503 Service Unavailable`."""
    tries: int = 0
    recent: tuple[int | None, ...] = ()
    """The last replies to readiness tries, oldest first: a status, or None without a reply."""
    requests: int = 0
    streams: int = 0
    """What the previous one still carries, while it drains."""

    @classmethod
    def read(cls, found: Json) -> Self:
        """As the agent tells of it."""
        return cls(
            kind=found["kind"],
            since=moment(found.get("since")),
            limit_s=found.get("limitSeconds"),
            detail=found.get("detail", ""),
            tries=found.get("tries", 0),
            recent=tuple(found.get("recent", ())),
            requests=found.get("requests", 0),
            streams=found.get("streams", 0),
        )


@dataclass(frozen=True, slots=True)
class Service:
    """One service: what is live, what is on its way, what a rollback would return to."""

    name: str
    kind: ServiceKind
    live: Deployment | None = None
    """The active deployment."""
    candidate: Deployment | None = None
    """The deployment on its way to being active; None from the switch on."""
    failed: Deployment | None = None
    """The newest deployment, if it failed."""
    previous: Deployment | None = None
    """What a rollback would start again."""
    waiting: Waiting | None = None
    routes: tuple[Mapping[str, Any], ...] = ()
    """The route rules that are on it: `on`, `methods`, `path`, `to`, `transform`, `value`."""
    domains: tuple[Domain, ...] = ()
    executions: Executions | None = None
    """Of a job or cron."""

    @property
    def needs_login(self) -> bool:
        """Whether what is live, or else on its way, is for those only who have a login."""
        found = self.live or self.current
        return found is not None and found.needs_login

    @property
    def is_at_barrier(self) -> bool:
        """Whether its candidate is ready, and waits for the others or for somebody's word."""
        if self.waiting is None or self.candidate is None:
            return False
        is_started = self.candidate.stage is not Stage.BUILDING
        return self.waiting.kind == "barrier" or (self.waiting.kind == "hold" and is_started)

    @property
    def current(self) -> Deployment | None:
        """The deployment that a person means when asking how the service is doing."""
        return self.candidate or self.failed or self.live

    @property
    def is_moving(self) -> bool:
        """Whether a run is at work on it."""
        found = self.candidate or self.live
        return found is not None and not found.status.is_final

    @classmethod
    def read(cls, found: Json) -> Self:
        """As the agent tells of it."""
        return cls(
            name=found["name"],
            kind=ServiceKind(found["kind"]),
            live=_deployment(found.get("live")),
            candidate=_deployment(found.get("candidate")),
            failed=_deployment(found.get("failed")),
            previous=_deployment(found.get("previous")),
            waiting=Waiting.read(found["waiting"]) if found.get("waiting") else None,
            routes=tuple(found.get("routes", ())),
            domains=tuple(Domain.read(each) for each in found.get("domains", ())),
            executions=Executions.read(found["execution"]) if found.get("execution") else None,
        )


def _deployment(found: Json | None) -> Deployment | None:
    return Deployment.read(found) if found else None


@dataclass(frozen=True, slots=True)
class Run:
    """One run: the deployments of one command."""

    id: str
    trigger: Trigger
    status: Status
    deployment_ids: tuple[str, ...] = ()
    label: str | None = None
    created_at: datetime | None = None
    completed_at: datetime | None = None
    failure_message: str | None = None
    failure_code: str | None = None
    cut_requests: int = 0
    not_serving: tuple[str, ...] = ()
    """What was live before it and is not after it failed: its way back failed too."""
    is_held: bool = False
    """Whether it waits before its switch until somebody lets it go on."""
    because: str | None = None
    """Why the platform began it by itself; None where somebody asked for it."""
    usual_s: float | None = None
    """How long runs like it took lately; None without any."""

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody stopped it."""
        return self.failure_code == "cancelled"

    @classmethod
    def read(cls, found: Json) -> Self:
        """As the agent tells of it."""
        return cls(
            id=found["id"],
            trigger=Trigger(found["trigger"]),
            status=Status(found["status"]),
            deployment_ids=tuple(found.get("deploymentIds", ())),
            label=found.get("label"),
            created_at=moment(found.get("createdAt")),
            completed_at=moment(found.get("completedAt")),
            failure_message=found.get("failureMessage"),
            failure_code=found.get("failureCode"),
            cut_requests=found.get("cutRequests", 0),
            not_serving=tuple(found.get("notServing", ())),
            is_held=found.get("isHeld", False),
            because=found.get("because"),
            usual_s=found.get("usualSeconds"),
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """What a service used and served in the last few seconds; None where it is not known."""

    cpu_percent: float | None = None
    """100 is one core."""
    memory_bytes: int | None = None
    requests_per_s: float | None = None
    errors_per_s: float | None = None
    """Replies with 5xx."""
    p95_ms: float | None = None

    @classmethod
    def read(cls, found: Json) -> Self:
        """As the agent tells of it."""
        return cls(
            cpu_percent=found.get("cpuPercent"),
            memory_bytes=found.get("memoryBytes"),
            requests_per_s=found.get("requestsPerSecond"),
            errors_per_s=found.get("errorsPerSecond"),
            p95_ms=found.get("p95Ms"),
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Where an environment lives, and who serves it."""

    project: str
    environment: str
    engine: str = ""
    root: str = ""
    public_address: str = ""
    internal_address: str = ""
    is_gateway_running: bool = False
    agent_version: str = ""
    users: tuple[str, ...] | None = None
    """Who has a login, by name; None where that is not told."""

    @classmethod
    def read(cls, found: Json) -> Self:
        """As the agent tells of it."""
        return cls(
            project=found["project"],
            environment=found["environment"],
            engine=found.get("engine") or "",
            root=found.get("root") or "",
            public_address=found.get("publicAddress", ""),
            internal_address=found.get("internalAddress", ""),
            is_gateway_running=found.get("gatewayRunning", False),
            agent_version=found.get("agentVersion", ""),
            users=tuple(found["users"]) if "users" in found else None,
        )


@dataclass(frozen=True, slots=True)
class Link:
    """The connection to the agent."""

    is_up: bool = False
    since: datetime | None = None
    reason: str = ""
    """Why it is down."""


@dataclass(frozen=True, slots=True)
class State:
    """Everything that is shown of one environment, the logs apart."""

    place: Place
    services: Mapping[str, Service] = field(default_factory=dict)
    run: Run | None = None
    """The run that is going on, else the last one."""
    queue: tuple[Run, ...] = ()
    figures: Mapping[str, Figures] = field(default_factory=dict)
    figures_at: datetime | None = None
    link: Link = field(default_factory=Link)

    @property
    def is_busy(self) -> bool:
        """Whether a run is queued or going on."""
        return self.run is not None and not self.run.status.is_final
