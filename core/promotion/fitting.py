"""What a service is to become, held against what it is now."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from core.errors import Conflict, EngineUnavailable
from core.events import Event, EventType
from core.lines import stamp
from core.model import Health, Service
from core.promotion.access import warnings_of
from core.promotion.ledger import deployment_event, run_event
from core.promotion.order import check_reachable, order_of
from core.promotion.plan import PlannedService, Situation, Wanted, plan_service
from core.promotion.publishing import Publishing
from core.promotion.variables import resolve
from core.records import Deployment, new_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from core.engines.base import Engine
    from core.model import RouteRule, Trigger
    from core.promotion.engines import Chosen
    from core.promotion.ledger import Ledger
    from core.promotion.parts import Parts
    from core.promotion.requests import Request
    from core.records import HostRecord, Run, Target, Variable

Json = dict[str, Any]


class Fitting:
    """How new deployments of one environment fit in with what is active in it."""

    def __init__(self, parts: Parts, target: Target, engine: Engine) -> None:
        self._ledger = parts.ledger
        self._router = parts.router
        self._target = target
        self._engine = engine

    @property
    def active(self) -> Mapping[str, Deployment]:
        """What is active now, by service."""
        return self._ledger.active(self._target)

    def wanted(
        self,
        service: Service,
        rules: tuple[RouteRule, ...],
        artifact_id: str,
        *,
        is_built: bool,
    ) -> Wanted:
        """A service as it is to be, with the variables that are set now."""
        assigned = resolve(self._ledger, self._target, service.name)
        return Wanted(
            service=service,
            rules=rules,
            artifact_id=artifact_id,
            is_built=is_built,
            assigned=assigned,
            stops_first=self.stops_first(service, assigned),
            costs=(
                *self._engine.warnings(service),
                *warnings_of(self._ledger, self._target, service),
            ),
        )

    def stops_first(self, service: Service, assigned: Mapping[str, Variable]) -> str | None:
        """Why what is live has to end before a new instance starts; None where it has not to."""
        active = self.active.get(service.name)
        return stops_first(self._engine, active, service, assigned)

    def planned(self, wanted: Wanted, trigger: Trigger) -> PlannedService:
        """What is done about a service.

        Raises:
            Conflict: its instances would all want one port.
        """
        self._check_port(wanted)
        active = self.active.get(wanted.service.name)
        situation = Situation(active, active is not None and _is_serving(self._ledger, active))
        return plan_service(wanted, situation, trigger)

    def _check_port(self, wanted: Wanted) -> None:
        service = wanted.service
        port = self._engine.fixed_port(service, _values(wanted.assigned))
        if port is not None and service.replicas > 1:
            raise Conflict(
                f"{service.replicas} replicas of {service.name} cannot all listen on port {port}",
                hint="remove the variable PORT, or the port in the project file",
                code="port_conflict",
            )

    def deployment(
        self, wanted: Wanted, request: Request, run: Run, host: HostRecord | None
    ) -> Deployment:
        """A new deployment, queued in a run; `host` is what its service was given, if any."""
        return Deployment(
            id=new_id("dep"),
            run_id=run.id,
            target=self._target,
            service=wanted.service,
            rules=wanted.rules,
            artifact_id=wanted.artifact_id,
            variables=self._engine.inherited(request.environ),
            assigned=dict(wanted.assigned),
            created_at=stamp(),
            engine=self._engine.name,
            label=request.label,
            route_host=host.host if host else None,
        )

    @property
    def publishing(self) -> Publishing:
        """The ports of this machine, as they are given out now."""
        return Publishing(self._ledger, self._target, self._router.own_ports)

    async def check_claims(self, services: Sequence[Service]) -> None:
        """Refuses services that claim what is somebody else's: volumes, names, ports.

        Raises:
            Conflict: who has it, and what to do.
        """
        # The engine first: it knows the container that holds a port, too.
        await self._engine.check_claims(self._target, services)
        self.publishing.check(services)

    def check_order(self, services: Sequence[Service], stopping: Iterable[str] = ()) -> None:
        """Refuses services that would wait for ever.

        Raises:
            Conflict: why.
        """
        order = order_of(services, frozenset(stopping))
        check_reachable(services, order, self._ledger.coming(self._target))

    def as_json(self, planned: PlannedService) -> Json:
        """A planned service as front ends see it."""
        active = self.active.get(planned.service.name)
        return {**planned.as_json(), "replaces": active.id if active else None}


def stops_first(
    engine: Engine,
    active: Deployment | None,
    service: Service,
    assigned: Mapping[str, Variable],
) -> str | None:
    """Why an active deployment has to end before another of its service starts, if it has to."""
    if active is None or not service.kind.is_long_running:
        return None
    if not active.service.kind.is_long_running:
        return None
    for side, found in (("its", service), ("the live one's", active.service)):
        if found.strategy.stops_first:
            why = found.container.strategy_because if found.container else ""
            return f"{side} strategy is {found.strategy}" + (f": {why}" if why else "")
    port = engine.fixed_port(service, _values(assigned))
    if port is not None and port == engine.fixed_port(active.service, _values(active.assigned)):
        return f"both listen on port {port} of this machine"
    return None


def _values(assigned: Mapping[str, Variable]) -> dict[str, str]:
    return {name: variable.value for name, variable in assigned.items()}


def _is_serving(ledger: Ledger, active: Deployment) -> bool:
    if not active.service.kind.is_long_running:
        # How its last execution ended is another matter: its schedule is in force.
        return True
    return ledger.live(active.id) is not None and active.health is Health.HEALTHY


async def leave_other_engine(parts: Parts, target: Target, chosen: Engine) -> None:
    """Removes what a first run that failed has left of an environment on another engine."""
    record = parts.ledger.environments.get(target)
    if record is not None and record.engine != chosen.name:
        with suppress(EngineUnavailable):
            await parts.engines.of(record.engine).clear(target)


def second_choice(chosen: Chosen) -> list[str]:
    """What is to be said of an engine that is not the best one there could be."""
    if not chosen.is_second_choice:
        return []
    return [f"the {chosen.engine.name} engine would be taken, and stay: {chosen.because}"]


def engine_chosen(chosen: Chosen, run: Run) -> Event:
    """Said once: from its first deploy on an environment keeps its engine."""
    type_ = EventType.WARNING_GIVEN if chosen.is_second_choice else EventType.ENGINE_CHOSEN
    return run_event(type_, run, f"on the {chosen.engine.name} engine: {chosen.because}")


def warning(deployment: Deployment, text: str, run: Run) -> Event:
    """A line of a deployment's log, and an event of the run: a rollback's is not its first one."""
    message = f"warning: {text}"
    return deployment_event(EventType.WARNING_GIVEN, deployment, message, run_id=run.id)


def created(deployment: Deployment) -> Event:
    """Tells of a new deployment."""
    return deployment_event(
        EventType.STAGE_CHANGED,
        deployment,
        f"deployment {deployment.id} created for service {deployment.service.name}",
        promotionStage=deployment.stage,
        status=deployment.status,
        isActive=False,
    )
