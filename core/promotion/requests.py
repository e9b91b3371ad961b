"""From what a front end asks for to the steps of a run, checked before anything is changed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.config.project import load_project
from core.errors import ConfigError, Conflict, EngineUnavailable, NotFound, UsageError
from core.events import Event, EventType
from core.lines import stamp
from core.model import Project, Service, Trigger
from core.promotion import rollback
from core.promotion.candidate import Step
from core.promotion.ledger import deployment_event, run_event
from core.promotion.plan import (
    Action,
    PlannedService,
    Situation,
    plan_rollback,
    plan_service,
    rules_on,
    rules_waiting,
)
from core.promotion.usual import usual_seconds
from core.records import Deployment, EnvironmentRecord, Run, Target, new_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from core.engines.base import Engine, Source
    from core.journal import Record
    from core.promotion.engines import Chosen
    from core.promotion.parts import Parts

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """A deploy, redeploy or rollback. `services` empty means all of them."""

    trigger: Trigger
    target: Target
    services: tuple[str, ...] = ()
    root: Path | None = None
    """The project's folder, for what deploys from source."""
    environ: Mapping[str, str] = field(default_factory=dict)
    engine: str = "auto"
    label: str | None = None
    use_cache: bool = True
    to: str | None = None
    """The deployment that a rollback names."""
    wait_s: float | None = None
    """How long to wait for runs ahead; 0 not at all, None without limit."""


@dataclass(frozen=True, slots=True)
class Down:
    """Stops services of an environment: all, the named ones, or those no longer in the project."""

    target: Target
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    """A run that can begin: what to journal with it, and its steps once it is its turn."""

    run: Run
    records: tuple[Record, ...]
    steps: Callable[[], Awaitable[list[Step]]]
    discard: Callable[[], Coroutine[None, None, None]]


class Resolver:
    """Turns requests into accepted runs."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ledger = parts.ledger

    async def accept(self, request: Request, run: Run, *, is_first: bool) -> Accepted:
        """Checks a request. Only a run that is first in line may leave unchanged services alone.

        Raises:
            ConfigError, NotFound, Conflict, UsageError: it cannot be done; nothing was changed.
        """
        if request.trigger is Trigger.ROLLBACK:
            return await self._accept_rollback(request, run, is_first=is_first)
        return await self._accept_deploy(request, run, is_first=is_first)

    async def plan(self, request: Request) -> dict[str, Any]:
        """What a run would do now.

        Raises:
            ConfigError, NotFound, Conflict, UsageError: it could not be done.
        """
        chosen = await self._choose(request)
        if request.trigger is Trigger.ROLLBACK:
            services = await self._plan_rollback(request)
            warnings: list[str] = []
        else:
            services, warnings = await self._plan_deploy(request, chosen)
        return {
            "project": request.target.project,
            "environment": request.target.environment,
            "engine": chosen.engine.name,
            "engineBecause": chosen.because,
            "services": services,
            "warnings": warnings,
            "usualSeconds": await usual_seconds(
                self._ledger.journal, request.target, request.trigger
            ),
        }

    async def _choose(self, request: Request) -> Chosen:
        record = self._lives(request.target)
        return await self._parts.engines.choose(request.engine, request.environ, record)

    def _lives(self, target: Target) -> EnvironmentRecord | None:
        """What decides about the engine; nothing does where no deploy has come up so far."""
        is_used = self._ledger.active(target) or any(
            run.target == target for run in self._ledger.runs.values()
        )
        return self._ledger.environments.get(target) if is_used else None

    async def _leave_others(self, target: Target, chosen: Engine) -> None:
        """Removes what a first deploy that failed has left on another engine."""
        record = self._ledger.environments.get(target)
        if record is not None and record.engine != chosen.name:
            with suppress(EngineUnavailable):
                await self._parts.engines.of(record.engine).clear(target)

    async def _plan_rollback(self, request: Request) -> list[Json]:
        _refuse_unclear_name(request)
        found = await self._find_earlier(request)
        active = self._ledger.active(request.target)
        return [
            {
                **plan_rollback(each, is_named=request.to is not None).as_json(),
                "deploymentId": each.id,
                "replaces": _id_of(active.get(each.service.name)),
            }
            for each in found
        ]

    async def _plan_deploy(self, request: Request, chosen: Chosen) -> tuple[list[Json], list[str]]:
        engine = chosen.engine
        project, services = await self._load(request, engine)
        variables = engine.inherited(request.environ)
        planned = [
            self._planned(
                project,
                service,
                await engine.identify(project.root, service, variables),
                request,
                engine,
            )
            for service in services
        ]
        selected = {service.name for service in services}
        active = self._ledger.active(request.target)
        gone = sorted(active.keys() - project.services.keys())
        told = [
            {**each.as_json(), "replaces": _id_of(active.get(each.service.name))}
            for each in planned
        ]
        return told, [
            *_second_choice(chosen),
            *rules_waiting(project, selected, active),
            *(
                f"{name} is active but not in the project: `compartment down --orphans`"
                for name in gone
            ),
        ]

    async def _accept_deploy(self, request: Request, run: Run, *, is_first: bool) -> Accepted:
        chosen = await self._choose(request)
        engine = chosen.engine
        project, services = await self._load(request, engine)
        variables = engine.inherited(request.environ)
        hosts = self._parts.router.hosts.give(
            request.target, project.services.values(), engine.name
        )
        sources: list[Source] = []
        try:
            deployments, steps, warnings = [], [], []
            for service in services:
                source = await engine.take(
                    project.root, service, variables, use_cache=request.use_cache
                )
                sources.append(source)
                planned = self._planned(project, service, source, request, engine)
                if planned.action is Action.LEAVE and is_first:
                    continue
                deployment = _deployment(project, service, source, request, run, engine)
                if service.name in hosts:
                    deployment = deployment.changed(route_host=hosts[service.name].host)
                deployments.append(deployment)
                steps.append(Step(deployment, source))
                warnings += [_warning(deployment, text) for text in planned.warnings]
        except BaseException:
            await self._discard(engine, sources)
            raise
        selected = {service.name for service in services}
        waiting = rules_waiting(project, selected, self._ledger.active(request.target))
        warnings += [run_event(EventType.WARNING_GIVEN, run, text) for text in waiting]
        if self._lives(request.target) is None and deployments:
            warnings.append(_engine_chosen(chosen, run))
            await self._leave_others(request.target, engine)
        kept = hosts.values() if deployments else ()
        records = (*self._records(project, request, deployments, engine), *kept, *warnings)

        async def ready() -> list[Step]:
            return steps

        run = run.changed(deployment_ids=tuple(each.id for each in deployments))
        return Accepted(run, records, ready, lambda: self._discard(engine, sources))

    def _planned(
        self,
        project: Project,
        service: Service,
        source: Source,
        request: Request,
        engine: Engine,
    ) -> PlannedService:
        active = self._ledger.active(request.target).get(service.name)
        is_serving = active is not None and self._ledger.live(active.id) is not None
        is_serving = is_serving and active is not None and active.health == "healthy"
        artifact = (source.artifact_id, source.is_built)
        situation = Situation(active, is_serving)
        costs = engine.warnings(service)
        return plan_service(project, service, artifact, situation, request.trigger, costs)

    def _records(
        self, project: Project, request: Request, deployments: list[Deployment], engine: Engine
    ) -> tuple[Record, ...]:
        records: list[Record] = [EnvironmentRecord(request.target, engine.name, str(project.root))]
        for deployment in deployments:
            records += [
                deployment,
                deployment_event(
                    EventType.STAGE_CHANGED,
                    deployment,
                    f"deployment {deployment.id} created for service {deployment.service.name}",
                    promotionStage=deployment.stage,
                    status=deployment.status,
                    isActive=False,
                ),
            ]
        return tuple(records)

    async def _discard(self, engine: Engine, sources: list[Source]) -> None:
        for source in sources:
            await engine.discard(source)

    async def _load(self, request: Request, engine: Engine) -> tuple[Project, list[Service]]:
        """The project and the services asked for, all of them deployable."""
        if request.root is None:
            raise UsageError("a deploy needs the folder of its project")
        project = await asyncio.to_thread(load_project, request.root)
        self._check_folder(request.target, project)
        for name in request.services:
            if name not in project.services:
                raise NotFound(
                    f"no service {name} in {project.name}",
                    hint=f"it has: {', '.join(project.services)}",
                    code="descriptor_service_not_found",
                )
        names = request.services or tuple(project.services)
        not_built = [each for each in project.not_built if each.service in names]
        if not_built:
            raise ConfigError(
                "the project uses what cannot be deployed yet", problems=not_built,
                code="unsupported_service_kind",
            )  # fmt: skip
        services = [project.services[name] for name in dict.fromkeys(names)]
        for service in services:
            refusal = engine.refusal(service)
            if refusal:
                raise ConfigError(f"service {service.name}: {refusal}")
        return project, services

    def _check_folder(self, target: Target, project: Project) -> None:
        known = self._ledger.environments.get(target)
        if known is None or known.root == str(project.root) or not Path(known.root).exists():
            return
        raise Conflict(
            f"{target} is deployed from another folder: {known.root}",
            hint="give this one another name (--project NAME), or take the other one down first",
            code="project_folder_conflict",
        )

    async def _accept_rollback(self, request: Request, run: Run, *, is_first: bool) -> Accepted:
        _refuse_unclear_name(request)

        async def steps() -> list[Step]:
            found = await self._find_earlier(request)
            ids = tuple(each.id for each in found)
            await self._ledger.write(*found, self._ledger.runs[run.id].changed(deployment_ids=ids))
            return [Step(each) for each in found]

        async def nothing() -> None:
            return None

        if is_first:
            ids = tuple(each.id for each in await self._find_earlier(request))
            run = run.changed(deployment_ids=ids)
        return Accepted(run, (), steps, nothing)

    async def _find_earlier(self, request: Request) -> list[Deployment]:
        return await rollback.find(self._parts, request.target, request.services, request.to)


def _refuse_unclear_name(request: Request) -> None:
    if request.to and len(request.services) != 1:
        raise Conflict(
            "--to names one deployment, so --service must name its service",
            hint="add --service NAME",
            code="rollback_service_required",
        )


def _id_of(deployment: Deployment | None) -> str | None:
    return deployment.id if deployment else None


def _second_choice(chosen: Chosen) -> list[str]:
    if not chosen.is_second_choice:
        return []
    return [f"the {chosen.engine.name} engine would be taken, and stay: {chosen.because}"]


def _engine_chosen(chosen: Chosen, run: Run) -> Event:
    """Said once: from its first deploy on an environment keeps its engine."""
    type_ = EventType.WARNING_GIVEN if chosen.is_second_choice else EventType.ENGINE_CHOSEN
    return run_event(type_, run, f"on the {chosen.engine.name} engine: {chosen.because}")


def _deployment(
    project: Project,
    service: Service,
    source: Source,
    request: Request,
    run: Run,
    engine: Engine,
) -> Deployment:
    return Deployment(
        id=new_id("dep"),
        run_id=run.id,
        target=request.target,
        service=service,
        rules=rules_on(project, service.name),
        artifact_id=source.artifact_id,
        variables=engine.inherited(request.environ),
        created_at=stamp(),
        engine=engine.name,
        label=request.label,
    )


def _warning(deployment: Deployment, text: str) -> Event:
    return deployment_event(EventType.WARNING_GIVEN, deployment, f"warning: {text}")
