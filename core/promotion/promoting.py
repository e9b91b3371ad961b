"""Promote: the artifacts that are active in one environment, deployed to another.

Nothing is built, and no release command is run; jobs are, since it is the other environment's data
that they work on.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Any

from core.errors import Conflict, NotFound, UsageError
from core.events import EventType
from core.promotion import fitting
from core.promotion.candidate import Step
from core.promotion.fitting import Fitting
from core.promotion.following import follow
from core.promotion.ledger import run_event
from core.promotion.plan import Action
from core.promotion.requests import Accepted
from core.records import EnvironmentRecord

if TYPE_CHECKING:
    from core.journal import Record
    from core.promotion.engines import Chosen
    from core.promotion.parts import Parts
    from core.promotion.plan import PlannedService, Wanted
    from core.promotion.requests import Request
    from core.records import Deployment, Run, Target

Json = dict[str, Any]


class Promotes:
    """Requests for a promote."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ledger = parts.ledger

    async def plan(self, request: Request, chosen: Chosen) -> tuple[list[Json], list[str]]:
        """What would be done with each service in the environment that it is promoted to."""
        fit = Fitting(self._parts, request.target, chosen.engine)
        sources = _as_there(fit, self._sources(request))
        await fit.check_claims([each.service for each in sources])
        planned = self._planned(fit, sources, request)
        fit.check_order([each.service for each in planned if each.action is not Action.LEAVE])
        told = [
            {**fit.as_json(each), "deploymentId": source.id}
            for source, each in zip(sources, planned, strict=True)
        ]
        return told, [*fitting.second_choice(chosen), *self._leads_nowhere(request, sources)]

    async def accept(
        self, request: Request, run: Run, chosen: Chosen, *, is_first: bool
    ) -> Accepted:
        """A deployment of its own in the other environment for each service."""
        engine = chosen.engine
        fit = Fitting(self._parts, request.target, engine)
        sources = _as_there(fit, self._sources(request))
        hosts = self._parts.router.hosts.give(
            request.target, [each.service for each in sources], engine.name
        )
        await fit.check_claims([each.service for each in sources])
        plans = self._planned(fit, sources, request)
        deployments, warnings = [], []
        for source, planned in zip(sources, plans, strict=True):
            if planned.action is Action.LEAVE and is_first:
                continue
            wanted = _wanted(fit, source)
            deployment = fit.deployment(wanted, request, run, hosts.get(source.service.name))
            label = request.label or source.label
            deployment = deployment.changed(label=label, promoted_from=source.id)
            deployments.append(deployment)
            warnings += [fitting.warning(deployment, text, run) for text in planned.warnings]
        fit.check_order([each.service for each in deployments])
        records: list[Record] = [*hosts.values()] if deployments else []
        if deployments and not self._ledger.is_used(request.target):
            warnings.append(fitting.engine_chosen(chosen, run))
            await fitting.leave_other_engine(self._parts, request.target, engine)
            root = self._ledger.environments[_source_of(request)].root
            records.append(EnvironmentRecord(request.target, engine.name, root))
        for deployment in deployments:
            records += [deployment, fitting.created(deployment)]

        missing = self._leads_nowhere(request, sources)
        warnings += [run_event(EventType.WARNING_GIVEN, run, text) for text in missing]

        async def ready() -> list[Step]:
            return [Step(each) for each in deployments]

        run = run.changed(deployment_ids=tuple(each.id for each in deployments))
        return Accepted(run, (*records, *warnings), ready)

    def _planned(
        self, fit: Fitting, sources: list[Deployment], request: Request
    ) -> list[PlannedService]:
        found = [fit.planned(_wanted(fit, each), request.trigger) for each in sources]
        return follow(found, [each.service.name for each in sources])

    def _leads_nowhere(self, request: Request, sources: list[Deployment]) -> list[str]:
        """Route rules of what is promoted whose service is missing on the other side."""
        active = self._ledger.active(request.target).keys()
        there = active | {each.service.name for each in sources}
        return [
            f"route rules of {each.service.name} lead to {name},"
            f" which is not active in {request.target.environment}"
            for each in sources
            for name in sorted({rule.to for rule in each.rules} - there)
        ]

    def _sources(self, request: Request) -> list[Deployment]:
        """The deployments to promote, by service; all can be, or none is.

        Raises:
            Conflict: it is the same environment, or an artifact is gone.
            NotFound: nothing is active there, or not the service that is named.
        """
        source = _source_of(request)
        if source == request.target:
            raise Conflict(
                f"{source} cannot be promoted to itself",
                hint="name two environments: --from staging --to production",
                code="source_and_target_environment_match",
            )
        active = self._ledger.active(source)
        for name in request.services or sorted(active):
            if name not in active:
                raise NotFound(
                    f"service {name} has no active deployment in {source}",
                    hint=f"active: {', '.join(sorted(active)) or 'nothing'}",
                    code="active_deployment_not_found",
                )
        if not active:
            raise NotFound(
                f"nothing is active in {source}",
                hint=f"deploy it: compartment deploy --env {quote(source.environment)}",
                code="active_deployment_not_found",
            )
        names = dict.fromkeys(request.services) or sorted(active)
        return [self._with_artifact(active[name]) for name in names]

    def _with_artifact(self, deployment: Deployment) -> Deployment:
        if not self._parts.engines.has_artifact(deployment):
            raise Conflict(
                f"the artifact of {deployment.id} is gone, it cannot be promoted",
                hint=f"deploy {deployment.service.name} to {deployment.target.environment} again",
                code="deployment_image_not_available",
            )
        return deployment


def _source_of(request: Request) -> Target:
    if request.source is None:
        raise UsageError("a promote needs the environment that it takes from")
    return request.source


def _as_there(fit: Fitting, sources: list[Deployment]) -> list[Deployment]:
    """The deployments with the ports that their services publish there already.

    A port of this machine is one environment's: the other one's come from its own files.
    """
    publishing = fit.publishing
    return [each.changed(service=publishing.kept(each.service)) for each in sources]


def _wanted(fit: Fitting, source: Deployment) -> Wanted:
    return fit.wanted(source.service, source.rules, source.artifact_id, is_built=True)
