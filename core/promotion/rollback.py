"""Rollback: kept deployments started again, without a build."""

from __future__ import annotations

from dataclasses import replace
from shlex import quote
from typing import TYPE_CHECKING, Any, Final

from core.errors import Conflict, NotFound
from core.events import EventType
from core.model import Stage, Status
from core.promotion import fitting
from core.promotion.candidate import Step
from core.promotion.fitting import Fitting
from core.promotion.ledger import deployment_event
from core.promotion.plan import plan_rollback
from core.promotion.requests import Accepted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.events import Event
    from core.promotion.engines import Chosen
    from core.promotion.parts import Parts
    from core.promotion.plan import PlannedService
    from core.promotion.requests import Request, Undo
    from core.records import Deployment, Run, Target

Json = dict[str, Any]

_LOOKED_AT: Final = 100
"""More than stay ready, so that an environment which went from one engine to another is found."""


class Rollbacks:
    """Requests for a rollback."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ledger = parts.ledger

    async def plan(self, request: Request, chosen: Chosen) -> tuple[list[Json], list[str]]:
        """Which deployment each service would return to."""
        fit = Fitting(self._parts, request.target, chosen.engine)
        found = await self._find(request, fit)
        fit.check_order([each.service for each in found])
        told = [
            {**fit.as_json(_planned(fit, each, request)), "deploymentId": each.id} for each in found
        ]
        return told, []

    async def accept(
        self, request: Request, run: Run, chosen: Chosen, *, is_first: bool
    ) -> Accepted:
        """What it returns to is decided when it is its turn: runs ahead change what is earlier."""
        fit = Fitting(self._parts, request.target, chosen.engine)

        async def steps() -> list[Step]:
            found = await self._find(request, fit)
            fit.check_order([each.service for each in found])
            ids = tuple(each.id for each in found)
            warnings = [
                fitting.warning(each, text, run)
                for each in found
                for text in _planned(fit, each, request).warnings
            ]
            await self._ledger.update(
                lambda: [*found, self._ledger.runs[run.id].changed(deployment_ids=ids), *warnings]
            )
            return [Step(each) for each in found]

        if is_first:
            found = await self._find(request, fit)
            fit.check_order([each.service for each in found])
            run = run.changed(deployment_ids=tuple(each.id for each in found))
        return Accepted(run, (_told(request.undo, run),) if request.undo else (), steps)

    async def _find(self, request: Request, fit: Fitting) -> list[Deployment]:
        services = request.services
        if request.undo is not None:
            services = _replaced(self._ledger.active(request.target), request.undo)
        if request.to is not None:
            services = services or (await self._service_of(request.to, request.target),)
            if len(services) > 1:
                raise Conflict(
                    "--to names one deployment, so --service must name its service alone",
                    hint="leave --service out: the deployment says whose it is",
                    code="rollback_service_required",
                )
        found = await find(self._parts, request.target, services, request.to)
        # What their files say of ports, volumes and names may be somebody else's by now.
        await fit.check_claims([each.service for each in found])
        return found

    async def _service_of(self, deployment_id: str, target: Target) -> str:
        found = await self._ledger.journal.deployment(deployment_id)
        if found is None or found.target != target:
            raise NotFound(
                f"{deployment_id} is no deployment of {target}",
                hint=f"see `compartment deployment list --env {quote(target.environment)}`",
                code="rollback_target_not_found",
            )
        return found.service.name


def _replaced(active: Mapping[str, Deployment], undo: Undo) -> tuple[str, ...]:
    """The services that a run has replaced, as far as they still are what it made of them.

    Those that it has added stay: there is nothing that they could go back to.
    """
    run_id = undo.deployment.run_id
    found = tuple(name for name, each in active.items() if each.run_id == run_id and each.replaced)
    if undo.deployment.service.name not in found:
        raise NotFound(
            f"{undo.deployment.id} is not active any more", code="active_deployment_not_found"
        )
    return found


def _told(undo: Undo, run: Run) -> Event:
    return deployment_event(
        EventType.AUTOMATIC_ROLLBACK,
        undo.deployment,
        f"is rolled back by itself: {undo.because}",
        run_id=run.id,
        because=undo.because,
        undoes=undo.deployment.run_id,
        **undo.figures,
    )


def _planned(fit: Fitting, earlier: Deployment, request: Request) -> PlannedService:
    wanted = fit.wanted(earlier.service, earlier.rules, earlier.artifact_id, is_built=True)
    # It runs with the variables that it ran with, among them maybe its port.
    wanted = replace(wanted, stops_first=fit.stops_first(earlier.service, earlier.assigned))
    active = fit.active.get(earlier.service.name)
    return plan_rollback(earlier, wanted, active, is_named=request.to is not None)


async def find(
    parts: Parts, target: Target, services: tuple[str, ...], to: str | None
) -> list[Deployment]:
    """The deployments to start again, one for each service; all are found, or none.

    Raises:
        NotFound: nothing is active, or there is no earlier deployment.
        Conflict: the deployment named is active, or its artifact is gone.
    """
    active = parts.ledger.active(target)
    if not active:
        raise NotFound(f"nothing is active in {target}", code="active_deployment_not_found")
    for name in services:
        if name not in active:
            raise NotFound(
                f"service {name} has no active deployment in {target}",
                hint=f"active: {', '.join(sorted(active))}",
                code="active_deployment_not_found",
            )
    found: dict[str, Deployment] = {}
    missing: dict[str, NotFound] = {}
    for name in services or sorted(active):
        try:
            found[name] = await _find_one(parts, target, name, to)
        except NotFound as error:
            missing[name] = error
    if missing and found:
        raise NotFound(
            f"no earlier deployment of {', '.join(missing)}: nothing is rolled back",
            hint=f"roll the others back: --service {' --service '.join(found)}",
            code="rollback_target_not_found",
        )
    if missing:
        raise next(iter(missing.values()))
    return list(found.values())


async def _find_one(parts: Parts, target: Target, service: str, to: str | None) -> Deployment:
    journal = parts.ledger.journal
    if to is not None:
        return _named(parts, await journal.deployment(to), target, service, to)
    for each in await journal.returnable(target, service, _LOOKED_AT):
        # What was rolled back was bad once: it comes back only by name.
        is_candidate = not each.is_active and each.stage is not Stage.ROLLED_BACK
        if is_candidate and _is_here(parts, each):
            return _with_artifact(parts, each)
    raise NotFound(
        f"service {service} has no earlier deployment to roll back to",
        hint=f"{_history(target, service)}; --to ID names one",
        code="rollback_target_not_found",
    )


def _history(target: Target, service: str) -> str:
    whose = f"--env {quote(target.environment)} --service {service}"
    return f"see `compartment deployment list {whose}`"


def _named(
    parts: Parts, found: Deployment | None, target: Target, service: str, to: str
) -> Deployment:
    if found is None or not _was_active(found, target, service):
        raise NotFound(
            f"{to} is no earlier deployment of service {service} that was active",
            hint=_history(target, service),
            code="rollback_target_not_found",
        )
    if found.is_active:
        raise Conflict(f"{to} is active already", code="rollback_target_active")
    if not _is_here(parts, found):
        raise Conflict(
            f"{to} ran on the {found.engine} engine, which {found.target} has left",
            hint="deploy its source again",
            code="rollback_target_not_found",
        )
    return _with_artifact(parts, found)


def _was_active(deployment: Deployment, target: Target, service: str) -> bool:
    is_of_it = (deployment.target, deployment.service.name) == (target, service)
    is_whole = deployment.status in (Status.SUCCEEDED, Status.STOPPED)
    return is_of_it and is_whole and deployment.activated_at is not None


def _is_here(parts: Parts, deployment: Deployment) -> bool:
    """Whether it ran on the engine that its environment has now."""
    record = parts.ledger.environments.get(deployment.target)
    return record is None or record.engine == deployment.engine


def _with_artifact(parts: Parts, deployment: Deployment) -> Deployment:
    if not parts.engines.has_artifact(deployment):
        raise Conflict(
            f"the artifact of {deployment.id} is gone, it cannot be started again",
            hint="name another one with --to ID, or deploy its source again",
            code="deployment_image_not_available",
        )
    return deployment
