"""Deploy and redeploy: runs that start from source."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.config.project import load_project
from core.config.relocation import relocated
from core.errors import ConfigError, Conflict, EngineUnavailable, NotFound, UsageError
from core.events import EventType
from core.model import EngineName, Trigger
from core.promotion import fitting
from core.promotion.candidate import Step
from core.promotion.fitting import Fitting
from core.promotion.following import follow, with_followers
from core.promotion.ledger import run_event
from core.promotion.plan import Action, rules_on, rules_waiting
from core.promotion.requests import Accepted
from core.promotion.variables import visible_to_build
from core.records import EnvironmentRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.engines.base import Engine, Source
    from core.journal import Record
    from core.model import Project, Service
    from core.promotion.engines import Chosen
    from core.promotion.parts import Parts
    from core.promotion.plan import Wanted
    from core.promotion.requests import Request
    from core.records import Run, Target

Json = dict[str, Any]


class Deploys:
    """Requests for a deploy or a redeploy."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ledger = parts.ledger

    async def plan(self, request: Request, chosen: Chosen) -> tuple[list[Json], list[str]]:
        """What would be done with each service, without keeping a copy of anything."""
        engine = chosen.engine
        fit = Fitting(self._parts, request.target, engine)
        project, services = await self._load(request, chosen, fit)
        variables = engine.inherited(request.environ)
        planned = []
        for service in services:
            seen = visible_to_build(self._ledger, request.target, service)
            source = await engine.identify(project.root, service, variables, seen)
            if request.kept_in is not None:
                service = relocated(service, project.root, request.kept_in)
            planned.append(fit.planned(_wanted(fit, project, service, source), request.trigger))
        planned = follow(planned, request.services or project.services)
        fit.check_order([each.service for each in planned if each.action is not Action.LEAVE])
        selected = {service.name for service in services}
        return [fit.as_json(each) for each in planned], [
            *fitting.second_choice(chosen),
            *rules_waiting(project, selected, dict(fit.active)),
            *_orphans(fit, project),
        ]

    async def accept(
        self, request: Request, run: Run, chosen: Chosen, *, is_first: bool
    ) -> Accepted:
        """Snapshots the sources of what is to be deployed."""
        engine = chosen.engine
        fit = Fitting(self._parts, request.target, engine)
        project, services = await self._load(request, chosen, fit)
        await self._parts.router.make_room(services)
        variables = engine.inherited(request.environ)
        hosts = self._parts.router.hosts.give(
            request.target, project.services.values(), engine.name
        )
        sources: list[Source] = []
        try:
            deployments, steps, warnings = [], [], []
            wanteds = []
            for service in services:
                seen = visible_to_build(self._ledger, request.target, service)
                source = await engine.take(
                    project.root, service, variables, seen, use_cache=request.use_cache
                )
                sources.append(source)
                wanteds.append(_wanted(fit, project, service, source))
            named = request.services or tuple(project.services)
            unsettled = set() if is_first else self._unsettled(request.target, named)
            plans = follow([fit.planned(each, request.trigger) for each in wanteds], named)
            for wanted, source, planned in zip(wanteds, sources, plans, strict=True):
                service = wanted.service
                if planned.action is Action.LEAVE and service.name not in unsettled:
                    continue
                deployment = fit.deployment(wanted, request, run, hosts.get(service.name))
                deployments.append(deployment)
                steps.append(Step(deployment, source))
                warnings += [fitting.warning(deployment, text, run) for text in planned.warnings]
            fit.check_order([each.service for each in deployments])
        except BaseException:
            await self._discard(engine, sources)
            raise
        selected = {service.name for service in services}
        waiting = rules_waiting(project, selected, dict(fit.active))
        told = [*waiting, *_orphans(fit, project)]
        warnings += [run_event(EventType.WARNING_GIVEN, run, text) for text in told]
        if deployments and not self._ledger.is_used(request.target):
            warnings.append(fitting.engine_chosen(chosen, run))
            await fitting.leave_other_engine(self._parts, request.target, engine)
        kept = hosts.values() if deployments else ()
        place = EnvironmentRecord(
            request.target,
            engine.name,
            str(project.root),
            request.compose.files,
            request.compose.env_files,
            request.compose.profiles,
        )
        records: list[Record] = [place]
        for deployment in deployments:
            records += [deployment, fitting.created(deployment)]

        async def ready() -> list[Step]:
            return steps

        run = run.changed(deployment_ids=tuple(each.id for each in deployments))
        return Accepted(
            run, (*records, *kept, *warnings), ready, lambda: self._discard(engine, sources)
        )

    def _unsettled(self, target: Target, named: Sequence[str]) -> set[str]:
        """Those of the named services that runs ahead are going to change, or may."""
        ahead = [run for run in self._ledger.runs.values() if run.target == target]
        if any(run.trigger is Trigger.ROLLBACK for run in ahead):
            return set(named)
        ids = {each for run in ahead for each in run.deployment_ids}
        known = self._ledger.deployments
        return {known[each].service.name for each in ids if each in known}.intersection(named)

    async def _discard(self, engine: Engine, sources: list[Source]) -> None:
        for source in sources:
            await engine.discard(source)

    async def _load(
        self, request: Request, chosen: Chosen, fit: Fitting
    ) -> tuple[Project, list[Service]]:
        """The project and the services asked for, all of them deployable."""
        engine = chosen.engine
        if request.root is None:
            raise UsageError("a deploy needs the folder of its project")
        project = await asyncio.to_thread(load_project, request.root, request.compose)
        self._check_folder(request.target, request.kept_in or project.root)
        for name in request.services:
            if name not in project.services:
                raise NotFound(
                    f"no service {name} in {project.name}",
                    hint=f"it has: {', '.join(project.services)}",
                    code="descriptor_service_not_found",
                )
        if project.is_compose and engine.name is not EngineName.DOCKER:
            raise EngineUnavailable(
                f"a Compose project runs on the Docker Engine: {chosen.because}",
                hint="start one, or write a compartment.yml: compartment init --from-compose",
            )
        names = with_followers(
            list(dict.fromkeys(request.services)) or list(project.services),
            project.services,
            fit.active,
        )
        services = fit.publishing.given([project.services[name] for name in names])
        for service in services:
            refusal = engine.refusal(service)
            if refusal:
                raise ConfigError(f"service {service.name}: {refusal}")
        await fit.check_claims(services)
        return project, services

    def _check_folder(self, target: Target, root: Path) -> None:
        """Refuses a project of the same name from elsewhere.

        Raises:
            Conflict: where the environment is deployed from.
        """
        known = self._ledger.environments.get(target)
        if known is None or known.root == str(root) or not Path(known.root).exists():
            return
        uploads = self._parts.home.uploads
        was_sent = Path(known.root).is_relative_to(uploads)
        if was_sent and root.is_relative_to(uploads):
            return  # by whoever: it is the one project of that name that is sent here
        where = "another machine, with --host" if was_sent else f"another folder: {known.root}"
        raise Conflict(
            f"{target} is deployed from {where}",
            hint="give this one another name (--project NAME), or take the other one down first",
            code="project_folder_conflict",
        )


def _orphans(fit: Fitting, project: Project) -> list[str]:
    """What stays live although the project has it no more."""
    return [
        f"{name} is active but not in the project: `compartment down --orphans`"
        for name in sorted(fit.active.keys() - project.services.keys())
    ]


def _wanted(fit: Fitting, project: Project, service: Service, source: Source) -> Wanted:
    rules = rules_on(project, service.name)
    return fit.wanted(service, rules, source.artifact_id, is_built=source.is_built)
