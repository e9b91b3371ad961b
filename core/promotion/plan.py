"""What a run would do, service by service, and why. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from core.model import Trigger

if TYPE_CHECKING:
    from core.model import Project, RouteRule, Service
    from core.records import Deployment


_BESIDE = "the candidate starts beside the live one"


class Action(StrEnum):
    """What happens to a service."""

    DEPLOY = "deploy"
    LEAVE = "leave"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class PlannedService:
    """One service of a plan."""

    service: Service
    action: Action
    needs_build: bool
    because: str
    zero_downtime: bool
    downtime_reason: str
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The service of a plan as front ends see it."""
        return {
            "serviceName": self.service.name,
            "kind": self.service.kind,
            "action": self.action,
            "build": self.needs_build,
            "because": self.because,
            "zeroDowntime": self.zero_downtime,
            "zeroDowntimeReason": self.downtime_reason,
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True)
class Situation:
    """What a service is now: its active deployment, and whether that really serves."""

    active: Deployment | None
    is_serving: bool


def rules_on(project: Project, service: str) -> tuple[RouteRule, ...]:
    """The rules that are deployed together with a service."""
    return tuple(rule for rule in project.rules if rule.on == service)


def plan_service(
    project: Project,
    service: Service,
    artifact: tuple[str, bool],
    now: Situation,
    trigger: Trigger,
    costs: tuple[str, ...] = (),
) -> PlannedService:
    """Decides about one service. `artifact` is its id and whether it is built already.

    `costs` is what its engine cannot do for it on this machine.
    """
    artifact_id, is_built = artifact
    because = _reason(project, service, artifact_id, now, trigger)
    action = Action.DEPLOY if because else Action.LEAVE
    reason = "nothing is live yet" if now.active is None else _BESIDE
    return PlannedService(
        service=service,
        action=action,
        needs_build=action is Action.DEPLOY and not is_built,
        because=because or "unchanged",
        zero_downtime=True,
        downtime_reason=reason,
        warnings=(*_warnings(service), *costs) if action is Action.DEPLOY else (),
    )


def plan_rollback(earlier: Deployment, *, is_named: bool) -> PlannedService:
    """What a rollback does with a service: it starts an earlier deployment again."""
    return PlannedService(
        service=earlier.service,
        action=Action.ROLLBACK,
        needs_build=False,
        because="it was asked for by name" if is_named else "it was live before the active one",
        zero_downtime=True,
        downtime_reason=_BESIDE,
    )


def _reason(
    project: Project, service: Service, artifact_id: str, now: Situation, trigger: Trigger
) -> str | None:
    active = now.active
    if active is None:
        return "first deployment"
    if trigger is Trigger.REDEPLOY:
        return "redeploy"
    if active.artifact_id != artifact_id:
        return "the source changed"
    if active.service != service:
        return "the configuration changed"
    if active.rules != rules_on(project, service.name):
        return "the route rules changed"
    if not now.is_serving:
        return "the active deployment is not serving"
    return None


def _warnings(service: Service) -> tuple[str, ...]:
    if service.readiness is None and service.kind.is_routable:
        return ("no readiness check: traffic may arrive before the service listens",)
    return ()


def rules_waiting(
    project: Project, selected: set[str], active: dict[str, Deployment]
) -> tuple[str, ...]:
    """Services that are not deployed now although their route rules changed."""
    return tuple(
        f"changed route rules of {name} wait for a deployment of {name}"
        for name, deployment in sorted(active.items())
        if name not in selected
        and name in project.services
        and deployment.rules != rules_on(project, name)
    )
