"""The product's words: enums and frozen value objects, spelled as the documentation spells them.

Standard library only, because every front end imports it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from core.container import Container  # noqa: TC001 - the journal reads it
from core.escaping import escaped

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_ENVIRONMENT = "production"


class ServiceKind(StrEnum):
    """What a service is for, which decides whether requests can be routed to it."""

    WEB = "web"
    API = "api"
    WORKER = "worker"
    JOB = "job"
    CRON = "cron"
    TCP = "tcp"
    """Of a Compose project only: takes connections that the gateway passes on as they are."""

    @property
    def is_routable(self) -> bool:
        """Whether the service answers HTTP requests and may appear in a route rule."""
        return self in (ServiceKind.WEB, ServiceKind.API)

    @property
    def is_long_running(self) -> bool:
        """Whether it has instances for as long as it is active: a job and a cron run and end."""
        return self not in (ServiceKind.JOB, ServiceKind.CRON)


class Status(StrEnum):
    """The overall state of a deployment or a run."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    """Taken down by `down` after it had been active."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self not in (Status.QUEUED, Status.RUNNING)


class Stage(StrEnum):
    """Where a deployment is on its way to live traffic."""

    BUILDING = "building"
    STARTING_CANDIDATE = "starting_candidate"
    CHECKING_READINESS = "checking_readiness"
    SWITCHING_ROUTE = "switching_route"
    DRAINING_PREVIOUS = "draining_previous"
    ACTIVE = "active"
    ROLLED_BACK = "rolled_back"


class Health(StrEnum):
    """What is known about the instances of a deployment."""

    PENDING = "pending"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


class Stream(StrEnum):
    """The three log streams of a deployment."""

    COMPARTMENT = "compartment"
    STDOUT = "stdout"
    STDERR = "stderr"


class Trigger(StrEnum):
    """The verb that made a run."""

    DEPLOY = "deploy"
    REDEPLOY = "redeploy"
    ROLLBACK = "rollback"
    PROMOTE = "promote"


class ExecutionTrigger(StrEnum):
    """Why a job or cron was run."""

    DEPLOY = "deploy"
    SCHEDULE = "schedule"
    MANUAL = "manual"


class ExecutionStatus(StrEnum):
    """How an execution is, or ended."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """It ended with another exit code than 0, by a signal, or at its time limit."""
    CANCELLED = "cancelled"
    """It was ended on purpose: replaced, taken down, or its run went back."""
    SKIPPED = "skipped"
    """It was due while an earlier one still ran."""
    MISSED = "missed"
    """It was due while nobody was there to start it."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to it."""
        return self is not ExecutionStatus.RUNNING


class Strategy(StrEnum):
    """How a new deployment takes the place of the one before it."""

    OVERLAP = "overlap"
    """The new one starts beside the old one, which is drained after the switch."""
    STOP_FIRST = "stop-first"
    """The old one ends before the new one starts, and is started again if that fails."""
    SINGLETON = "singleton"
    """The same, and there is one instance only: never two at any moment."""

    @property
    def stops_first(self) -> bool:
        """Whether old and new never run side by side."""
        return self is not Strategy.OVERLAP


class Condition(StrEnum):
    """What a service waits for in another one before it starts."""

    STARTED = "started"
    HEALTHY = "healthy"
    COMPLETED = "completed"
    """Of a job: it has ended with exit code 0."""


class ScheduleOverlap(StrEnum):
    """What happens when a cron is due while an earlier execution of it still runs."""

    SKIP = "skip"
    ALLOW = "allow"
    REPLACE = "replace"


class ReadinessType(StrEnum):
    """What a readiness check does."""

    HTTP = "http"
    TCP = "tcp"
    COMMAND = "command"


class EngineName(StrEnum):
    """What runs the instances of an environment."""

    PROCESS = "process"
    DOCKER = "docker"


class AccessMode(StrEnum):
    """Who may reach a routable service."""

    PUBLIC = "public"
    AUTHENTICATED = "authenticated"


class BuildStrategy(StrEnum):
    """How an artifact is made from the source."""

    AUTO = "auto"
    DOCKERFILE = "dockerfile"
    RAILPACK = "railpack"


class RestartPolicy(StrEnum):
    """When an instance that ended by itself is started again."""

    NO = "no"
    ON_FAILURE = "on-failure"
    UNLESS_STOPPED = "unless-stopped"


class Transform(StrEnum):
    """How a route rule changes the path that the target sees."""

    REWRITE = "rewrite"
    STRIP_PREFIX = "stripPrefix"
    REPLACE_PREFIX = "replacePrefix"


@dataclass(frozen=True, slots=True)
class Build:
    """How the artifact of a service is built."""

    strategy: BuildStrategy = BuildStrategy.AUTO
    command: str | None = None
    env: tuple[str, ...] = ()
    build_packages: tuple[str, ...] = ()
    runtime_packages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Restart:
    """The restart policy of a live instance; `max_retries` None is without limit."""

    policy: RestartPolicy = RestartPolicy.ON_FAILURE
    max_retries: int | None = None


@dataclass(frozen=True, slots=True)
class Readiness:
    """The check that a candidate must pass within `timeout_ms`, and the live one every so often.

    `http`: any 2xx for a GET of `path`. `tcp`: the port takes a connection. `command`: a shell
    command, run beside the instance as a part of it, ends with exit code 0.
    """

    path: str = "/healthz"
    timeout_ms: int = 30_000
    type: ReadinessType = ReadinessType.HTTP
    command: str | None = None
    interval_ms: int = 1_000
    """Between two checks of what is live."""

    @property
    def request_path(self) -> str:
        """What is asked for: the path, which may be written without its first slash."""
        return self.path if self.path.startswith("/") else f"/{self.path}"


@dataclass(frozen=True, slots=True)
class Drain:
    """How long the previous one may finish requests, and streams once only those are left."""

    timeout_ms: int = 30_000
    streams_ms: int = 5_000


@dataclass(frozen=True, slots=True)
class AutoRollback:
    """When a deployment that was switched to is left again without anybody asking for it."""

    window_ms: int = 300_000
    """For how long after the switch it is watched."""
    on_unhealthy: bool = True
    """Whether it is left when it turns unhealthy."""
    error_rate: float | None = None
    """It is left when more than this part of its replies are 5xx; None: they are not counted."""
    min_requests: int = 50
    """Of fewer replies no error rate is taken."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds for one instance."""

    cpus: float | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class RouteRule:
    """One rule of `compartment.routes.yml`; `methods` empty means any method."""

    on: str
    path: str
    to: str
    methods: tuple[str, ...] = ()
    transform: Transform | None = None
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Dependency:
    """A service that must be so far before the one that depends on it starts."""

    service: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a cron runs: five fields (cron(5)), read as the clock of a time zone shows them."""

    cron: str
    time_zone: str = "UTC"
    overlap: ScheduleOverlap = ScheduleOverlap.SKIP
    deadline_ms: int = 10_000
    """How late it may still start; later it is reported as missed."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service as its project file describes it, every default filled in.

    `path` is relative to the project's root, with forward slashes.
    """

    name: str
    path: str
    kind: ServiceKind = ServiceKind.WEB
    access_mode: AccessMode = AccessMode.PUBLIC
    build: Build = field(default_factory=Build)
    run_command: str | None = None
    restart: Restart = field(default_factory=Restart)
    readiness: Readiness | None = None
    drain: Drain = field(default_factory=Drain)
    port: int | None = None
    replicas: int = 1
    strategy: Strategy = Strategy.OVERLAP
    depends_on: tuple[Dependency, ...] = ()
    schedule: Schedule | None = None
    time_limit_ms: int = 3_600_000
    """How long one execution of a job or cron may take before it is ended."""
    limits: Limits = field(default_factory=Limits)
    release_command: str | None = None
    """Run once per deploy from source, after the build and before the first candidate starts."""
    auto_rollback: AutoRollback | None = None
    """None: what was switched to stays until somebody asks for something else."""
    container: Container | None = None
    """What a Compose file says of its containers; None in a project with a `compartment.yml`."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file, and how to mend it; lines and columns count from 1.

    Line 0 is no place: then `file` names what is wrong as a whole, such as a variable. Whatever
    names of the file its words repeat, no terminal obeys them.
    """

    file: str
    line: int
    column: int
    message: str
    hint: str | None = None
    service: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "file", escaped(self.file))
        object.__setattr__(self, "message", escaped(self.message))
        object.__setattr__(self, "hint", self.hint and escaped(self.hint))

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        text = f"{place}: {self.message}"
        return f"{text} ({self.hint})" if self.hint else text


@dataclass(frozen=True, slots=True)
class Project:
    """A validated project."""

    name: str
    root: Path
    services: dict[str, Service]
    rules: tuple[RouteRule, ...] = ()
    files: tuple[str, ...] = ()
    """The Compose files that it was read from, in their order; empty with a `compartment.yml`."""
    notes: tuple[Problem, ...] = ()
    """What is not wrong, but not honoured, or could be better; with its place."""

    @property
    def is_compose(self) -> bool:
        """Whether it was read from Compose files."""
        return bool(self.files)
