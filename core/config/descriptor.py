"""The shape of `compartment.yml`. What its parts demand of each other is in `descriptor_rules`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, GetJsonSchemaHandler, model_validator

from core.config.document import describe
from core.config.fields import (
    CheckPath,
    ServiceName,
    StrictModel,
    Text,
    broken_rule,
    refuse_later,
)
from core.config.patterns import (
    APT_PACKAGE,
    CRON_EXPRESSION,
    MEMORY,
    PROJECT_NAME,
    VARIABLE_KEY,
)
from core.config.schedule import CronExpression, TimeZone
from core.config.waits import Waits
from core.model import (
    AccessMode,
    BuildStrategy,
    ReadinessType,
    RestartPolicy,
    ScheduleOverlap,
    Strategy,
)

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

HOUR_MS = 60 * 60 * 1000
DAY_MS = 24 * HOUR_MS

_VARIABLES = "variables belong to an environment: compartment variable set NAME VALUE"
_DOMAINS = "host names come from the project, the service and the environment"
_ENVIRONMENTS = "an environment exists from its first deploy on: compartment deploy --env NAME"
_ROUTES = "rules live in compartment.routes.yml"

AptPackage = Annotated[str, Field(pattern=APT_PACKAGE)]
VariableKey = Annotated[str, Field(pattern=VARIABLE_KEY)]
Kind = Annotated[Literal["web", "api", "worker", "job", "cron"], refuse_later("static")]
"""Kinds that exist in Compose projects only cannot be named here."""
DrainTime = Annotated[int, Field(ge=0, le=DAY_MS)]


class PackagesModel(StrictModel):
    """APT packages that a build without a Dockerfile adds; at least one list must not be empty."""

    build: list[AptPackage] = Field([], description="Installed while building only.")
    runtime: list[AptPackage] = Field([], description="Installed in the image that runs.")


class BuildModel(StrictModel):
    """How the artifact of a service is built."""

    later: ClassVar[frozenset[str]] = frozenset({"include", "outputDirectory"})
    elsewhere: ClassVar[dict[str, str]] = {
        "dockerfile": "a Dockerfile is found in the service's path by its name",
        "context": "a service is built in its path",
        "args": 'variables for the build are listed by name under "env"',
    }

    strategy: Annotated[BuildStrategy, Field(strict=False)] = Field(
        BuildStrategy.AUTO,
        description="auto uses the Dockerfile in the service's path if there is one; dockerfile "
        "insists on it; railpack ignores it.",
    )
    command: Text | None = Field(
        None,
        description="Replaces the build command that is found by itself; not with a Dockerfile.",
    )
    env: list[VariableKey] = Field(
        [], description="Names of the variables that the build may see; none of them sensitive."
    )
    packages: PackagesModel | None = Field(None, description="APT packages; not with a Dockerfile.")


class RestartModel(StrictModel):
    """When an instance that ended by itself is started again."""

    policy: Annotated[RestartPolicy, Field(strict=False)] = Field(
        description="no, on-failure or unless-stopped. Without a restart block: on-failure."
    )
    max_retries: Annotated[int, Field(gt=0)] | None = Field(
        None, description="Attempts before giving up, only with on-failure; unlimited if absent."
    )


class RunModel(StrictModel):
    """How an instance is run; at least one of the keys must be there."""

    elsewhere: ClassVar[dict[str, str]] = {"env": _VARIABLES, "variables": _VARIABLES}

    command: Text | None = Field(
        None, description="Starts the service instead of what is found; not with a Dockerfile."
    )
    restart: RestartModel | None = Field(None, description="The restart policy.")


class ReadinessModel(StrictModel):
    """The check that a candidate must pass before it gets traffic, and the live one from then on.

    Once is enough.
    """

    type: Annotated[ReadinessType, Field(strict=False)] = Field(
        description="http: any 2xx answer; tcp: a connection is taken; command: exit code 0."
    )
    path: CheckPath = Field(
        "/healthz", description="The path that is requested with GET; http only."
    )
    command: Text | None = Field(
        None, description="A shell command, run in the instance; command only, and required there."
    )
    timeout_ms: int = Field(
        30_000, ge=1, le=300_000, description="Milliseconds until the candidate has failed."
    )
    interval_ms: int = Field(
        1_000, ge=100, le=300_000, description="Milliseconds between two checks of what is live."
    )


class ReleaseModel(StrictModel):
    """What has to happen once before a new deployment starts, such as a database migration."""

    command: Text = Field(
        description="Run once per deploy from source, in the new artifact with the variables of "
        "the service, before the candidate starts; another exit code than 0 fails the deploy."
    )


class DrainModel(StrictModel):
    """How long the previous deployment may finish its work after the switch."""

    timeout_ms: DrainTime = Field(
        30_000, description="Milliseconds for requests that are in flight."
    )
    streams_ms: DrainTime = Field(
        5_000, description="Milliseconds for websockets and event streams, once only they are left."
    )


class AutoRollbackModel(StrictModel):
    """For how long a new deployment is watched, and for what it is rolled back by itself."""

    window_ms: int = Field(
        300_000, ge=1_000, le=DAY_MS, description="Milliseconds after the switch."
    )
    on_unhealthy: bool = Field(
        default=True, description="Whether it is rolled back when it turns unhealthy."
    )
    error_rate: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        None,
        description="It is rolled back when more than this part of its replies are 5xx, such as "
        "0.05; of web and api only.",
    )
    min_requests: int = Field(
        50, ge=1, description="Of fewer replies no error rate is taken; only with errorRate."
    )

    @model_validator(mode="after")
    def _demand_a_reason(self) -> Self:
        if self.error_rate is not None:
            return self
        if not self.on_unhealthy:
            hint = "set errorRate, or leave onUnhealthy on"
            raise broken_rule("has nothing to roll back for", hint=hint)
        if "min_requests" in self.model_fields_set:
            raise broken_rule("has minRequests without errorRate", hint="set both, or none")
        return self


class ScheduleModel(StrictModel):
    """When a cron runs."""

    elsewhere: ClassVar[dict[str, str]] = {
        "timeLimitMs": "it goes into the service, beside schedule",
    }

    @model_validator(mode="before")
    @classmethod
    def _accept_cron_alone(cls, data: Any) -> Any:
        if isinstance(data, str):
            return {"cron": data}
        if not isinstance(data, dict):
            raise broken_rule(f"must be a cron expression or a mapping, not {describe(data)}")
        return data

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Allow the expression alone in the published schema too."""
        description = "The cron expression alone, in UTC."
        alone = {"type": "string", "pattern": CRON_EXPRESSION, "description": description}
        return {"anyOf": [alone, handler(core_schema)]}

    cron: CronExpression = Field(
        description="Five fields: minute, hour, day of month, month, day of week."
    )
    time_zone: TimeZone = Field("UTC", description="The time zone of the fields, by IANA name.")
    overlap: Annotated[ScheduleOverlap, Field(strict=False)] = Field(
        ScheduleOverlap.SKIP,
        description="What happens when it is due while an earlier execution still runs: skip it, "
        "allow both, or replace the earlier one.",
    )
    deadline_ms: int = Field(
        10_000,
        ge=1,
        le=DAY_MS,
        description="Milliseconds that it may start late; later it is reported as missed.",
    )


class LimitsModel(StrictModel):
    """Upper bounds for one instance."""

    cpus: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None, description="Processors, such as 0.5."
    )
    memory: Annotated[str, Field(pattern=MEMORY)] | None = Field(
        None, description="Memory in units of 1024, such as 256M or 1G."
    )


class ServiceModel(StrictModel):
    """One service: one thing that is built and run."""

    later: ClassVar[frozenset[str]] = frozenset({"connections"})
    elsewhere: ClassVar[dict[str, str]] = {
        "env": _VARIABLES,
        "environment": _VARIABLES,
        "environments": _ENVIRONMENTS,
        "variables": _VARIABLES,
        "domains": _DOMAINS,
        "routes": _ROUTES,
        "command": 'it goes under "run", "build" or "release"',
        "restart": 'it goes under "run"',
        "healthcheck": 'use "readiness"',
        "timeoutMs": 'it goes under "readiness" or "drain"; a job and a cron have "timeLimitMs"',
        "cron": 'use kind: cron, and "schedule"',
    }

    @model_validator(mode="before")
    @classmethod
    def _accept_path_alone(cls, data: Any) -> Any:
        if isinstance(data, str):
            return {"path": data}
        if not isinstance(data, dict):
            raise broken_rule(f"must be a path or a mapping, not {describe(data)}")
        return data

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Allow the path alone in the published schema too."""
        alone = {"type": "string", "minLength": 1, "description": "The path of the service."}
        return {"anyOf": [alone, handler(core_schema)]}

    path: Text = Field(
        description="The folder of the service, relative to this file and inside the repository."
    )
    kind: Kind = Field(
        "web",
        description="web and api answer HTTP requests, api on the internal listener only; worker "
        "runs without requests; job runs once; cron runs on a schedule.",
    )
    access_mode: Annotated[AccessMode, Field(strict=False)] = Field(
        AccessMode.PUBLIC,
        description="Who may reach the service: everybody, or the users of its environment.",
    )
    build: BuildModel | None = Field(None, description="How the service is built.")
    run: RunModel | None = Field(None, description="How the service is run.")
    readiness: ReadinessModel | None = Field(
        None, description="The check before the switch; without it a candidate only has to be up."
    )
    release: ReleaseModel | None = Field(
        None, description="What is run once before the candidate starts."
    )
    drain: DrainModel | None = Field(None, description="How long the previous one may finish.")
    auto_rollback: AutoRollbackModel | None = Field(
        None,
        description="When a new deployment is rolled back by itself after the switch; without it, "
        "never.",
    )
    port: Annotated[int, Field(ge=1, le=65_535)] | None = Field(
        None, description="The port that the service listens on, if it cannot follow PORT."
    )
    replicas: int = Field(1, ge=1, description="How many instances run side by side.")
    strategy: Annotated[Strategy, Field(strict=False)] = Field(
        Strategy.OVERLAP,
        description="overlap: the new one starts beside the old one; stop-first: the old one ends "
        "before; singleton: the same, with one instance only. Not of a job or cron.",
    )
    depends_on: Waits = Field(
        {},
        description="What it waits for before it starts: services, or services and conditions.",
    )
    schedule: ScheduleModel | None = Field(
        None,
        description="When a service of kind cron runs, required there: five cron fields in UTC, or "
        "an object.",
    )
    time_limit_ms: int = Field(
        HOUR_MS,
        ge=1,
        le=DAY_MS,
        description="Milliseconds that one execution may take; of a job or cron only.",
    )
    limits: LimitsModel | None = Field(None, description="Upper bounds for one instance.")


class DescriptorModel(StrictModel):
    """A project: its name and its services."""

    later: ClassVar[frozenset[str]] = frozenset({"resources"})
    elsewhere: ClassVar[dict[str, str]] = {
        "version": "only compartment.routes.yml has a version",
        "environment": _ENVIRONMENTS,
        "environments": _ENVIRONMENTS,
        "env": _VARIABLES,
        "variables": _VARIABLES,
        "domains": _DOMAINS,
        "routes": _ROUTES,
    }

    name: Annotated[str, Field(pattern=PROJECT_NAME)] = Field(
        description="The name of the project; create is reserved."
    )
    services: dict[ServiceName, ServiceModel] = Field(
        min_length=1,
        description="The services by name; a text instead of an object is the service's path.",
    )
