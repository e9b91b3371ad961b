"""What a run would do, service by service, and why. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from core.contained import published_json
from core.model import ServiceKind, Trigger
from core.promotion.variables import differing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.container import Container
    from core.model import AutoRollback, Project, RouteRule, Service
    from core.records import Deployment, Variable

_BESIDE = "the candidate starts beside the live one"


class Action(StrEnum):
    """What happens to a service."""

    DEPLOY = "deploy"
    LEAVE = "leave"
    ROLLBACK = "rollback"
    PROMOTE = "promote"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a service is to become."""

    service: Service
    rules: tuple[RouteRule, ...]
    artifact_id: str
    is_built: bool
    """Whether the artifact is there already."""
    assigned: Mapping[str, Variable] = field(default_factory=dict)
    stops_first: str | None = None
    """Why the live one has to end before it starts, where that is so."""
    costs: tuple[str, ...] = ()
    """What its engine cannot do for it on this machine."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What a service is now: its active deployment, and whether that really serves."""

    active: Deployment | None
    is_serving: bool


@dataclass(frozen=True, slots=True)
class PlannedService:
    """One service of a plan."""

    service: Service
    action: Action
    needs_build: bool
    because: str
    zero_downtime: bool
    downtime_reason: str
    variables_changed: tuple[str, ...] = ()
    """The names of those that are set otherwise than the active deployment has them."""
    warnings: tuple[str, ...] = ()
    no_way_back: str | None = None
    """Why it is not rolled back by itself, although its service says when."""

    def as_json(self) -> dict[str, Any]:
        """The service of a plan as front ends see it."""
        return {
            "serviceName": self.service.name,
            "kind": self.service.kind,
            "strategy": self.service.strategy,
            "accessMode": self.service.access_mode,
            "action": self.action,
            "build": self.needs_build,
            "because": self.because,
            "zeroDowntime": self.zero_downtime,
            "zeroDowntimeReason": self.downtime_reason,
            "waitsFor": [
                {"serviceName": each.service, "condition": each.condition}
                for each in self.service.depends_on
            ],
            "variablesChanged": list(self.variables_changed),
            "warnings": list(self.warnings),
            "autoRollback": self._auto_rollback(),
            **(_contained(self.service.container) if self.service.container else {}),
        }

    def _auto_rollback(self) -> dict[str, Any] | None:
        told = auto_rollback_json(self.service)
        if told is None or self.action is Action.LEAVE:
            return None
        return {**told, "isWatched": self.no_way_back is None, "because": self.no_way_back}


def auto_rollback_json(service: Service) -> dict[str, Any] | None:
    """When a service is rolled back by itself, as front ends see it; None: never."""
    rule = service.auto_rollback
    if rule is None:
        return None
    return {
        "windowMs": rule.window_ms,
        "onUnhealthy": rule.on_unhealthy,
        "errorRate": rule.error_rate,
        "minRequests": rule.min_requests if rule.error_rate is not None else None,
        "words": _in_words(rule),
    }


def _in_words(rule: AutoRollback) -> str:
    reasons = ["it turns unhealthy"] if rule.on_unhealthy else []
    if rule.error_rate is not None:
        limit = f"{100 * rule.error_rate:.3g} %"
        reasons.append(f"more than {limit} of at least {rule.min_requests} replies are 5xx")
    return f"when {' or '.join(reasons)} within {rule.window_ms / 1000:g} s of the switch"


def _contained(container: Container) -> dict[str, Any]:
    """What is decided about a Compose service, and why."""
    return {
        "kindReason": container.kind_because,
        "strategyReason": container.strategy_because,
        "ports": [
            {"port": each.number, "protocol": each.protocol, "because": each.because}
            for each in container.ports
        ],
        "published": [published_json(each) for each in container.published],
        "networks": [each.network.key for each in container.networks],
    }


def rules_on(project: Project, service: str) -> tuple[RouteRule, ...]:
    """The rules that are deployed together with a service."""
    return tuple(rule for rule in project.rules if rule.on == service)


def plan_service(wanted: Wanted, now: Situation, trigger: Trigger) -> PlannedService:
    """Decides about one service."""
    changed = differing(now.active.assigned, wanted.assigned) if now.active else []
    because = _reason(wanted, now, trigger, changed)
    done = Action.PROMOTE if trigger is Trigger.PROMOTE else Action.DEPLOY
    action = done if because else Action.LEAVE
    return PlannedService(
        service=wanted.service,
        action=action,
        needs_build=action is not Action.LEAVE and not wanted.is_built,
        because=because or "unchanged",
        zero_downtime=wanted.stops_first is None,
        downtime_reason=_downtime(wanted, now.active),
        variables_changed=tuple(changed),
        warnings=(*_warnings(wanted.service), *wanted.costs) if because else (),
        no_way_back=None if now.active else "nothing is live that it could go back to",
    )


def plan_rollback(
    earlier: Deployment, wanted: Wanted, active: Deployment | None, *, is_named: bool
) -> PlannedService:
    """What a rollback does with a service: it starts an earlier deployment again.

    `wanted` is that deployment with the variables that are set now, which it does not get.
    """
    changed = differing(earlier.assigned, wanted.assigned)
    warnings = []
    if changed:
        names = ", ".join(changed)
        warnings.append(f"it starts with the variables it ran with; set otherwise now: {names}")
    if earlier.service.kind is ServiceKind.JOB:
        warnings.append("a rollback does not run a job again")
    return PlannedService(
        service=earlier.service,
        action=Action.ROLLBACK,
        needs_build=False,
        because="it was asked for by name" if is_named else "it was live before the active one",
        zero_downtime=wanted.stops_first is None,
        downtime_reason=_downtime(wanted, active),
        variables_changed=tuple(changed),
        warnings=tuple(warnings),
        no_way_back="what a rollback brings back is not rolled back by itself",
    )


def _reason(
    wanted: Wanted, now: Situation, trigger: Trigger, variables_changed: list[str]
) -> str | None:
    active = now.active
    if active is None:
        return "first deployment"
    if trigger is Trigger.REDEPLOY:
        return "redeploy"
    if active.artifact_id != wanted.artifact_id:
        return "the source changed"
    if active.service != wanted.service:
        return "the configuration changed"
    if active.rules != wanted.rules:
        return "the route rules changed"
    if variables_changed:
        return f"variables changed: {', '.join(variables_changed)}"
    if not now.is_serving:
        return "the active deployment is not serving"
    return None


def _downtime(wanted: Wanted, active: Deployment | None) -> str:
    """Why there is none, or why there is some."""
    if active is None:
        return "nothing is live yet"
    if wanted.service.kind is ServiceKind.JOB:
        return "it runs to its end before the switch"
    if wanted.service.kind is ServiceKind.CRON:
        return "from the switch on the new one is started when it is due"
    return wanted.stops_first or _BESIDE


def _warnings(service: Service) -> tuple[str, ...]:
    if service.container is not None:
        return service.container.notes
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
