"""What is promised, held against everything that is journalled, started and routed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.container import Protocol
from core.gateway.table import TCP_SUFFIX
from core.model import Condition, ServiceKind, Stage, Status
from core.promotion.states import TABLE, Move, State, state_of
from core.records import Activation, ActivationState, Deployment, Execution, Run, Target
from tests.simulation.machine import activation_of, must_be_alone

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from core.container import Container
    from core.engines.base import InstanceSpec
    from core.gateway.table import Entrance, Table
    from core.journal import Record
    from tests.simulation.machine import Machine

_CANDIDATE, _LIVE = ActivationState.CANDIDATE, ActivationState.LIVE
_ASIDE, _DRAINING, _GONE = ActivationState.ASIDE, ActivationState.DRAINING, ActivationState.GONE

ACTIVATION_MOVES = {
    None: {_CANDIDATE},
    _CANDIDATE: {_LIVE, _GONE},
    _LIVE: {_ASIDE, _DRAINING},
    _ASIDE: {_LIVE, _GONE},
    _DRAINING: {_LIVE, _GONE},
    _GONE: set[ActivationState](),
}
_EDGES = {(before, after) for how, row in TABLE.items() for before, after in row.items()}
_CAN_FAIL = set(TABLE[Move.FAIL])


class Promises:
    """Sees every record in the order in which it is journalled, whatever agent writes it.

    The first promise that is broken is kept in `broken`: where it is seen nobody would hear of it.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.broken: str | None = None
        self.deployments: dict[str, Deployment] = {}
        self.activations: dict[str, Activation] = {}
        self.executions: dict[str, Execution] = {}
        self.runs: dict[str, Run] = {}
        self.held: set[str] = set()
        """The runs that somebody holds."""
        self.seen: list[str] = []
        """What happened, for whoever has to find out why a promise was broken."""
        self._before: dict[str, dict[str, str]] = {}
        """What was active when a run began, by service."""
        self._served: set[tuple[Target, str]] = set()
        """What was served, and has to be until it is taken down."""

    def keeping(self, doing: Callable[[], None]) -> None:
        """Does something that may break a promise."""
        try:
            doing()
        except AssertionError as error:
            self.broken = self.broken or str(error) or "a promise"
            self.seen.append(f"BROKEN: {error}")

    # -- what is journalled --------------------------------------------------

    def journalled(self, records: Sequence[Record]) -> None:
        """Looks at what was committed together."""
        self.keeping(lambda: self._journalled(records))

    def _journalled(self, records: Sequence[Record]) -> None:
        ended = []
        for record in records:
            match record:
                case Deployment():
                    self._deployment(record)
                case Activation():
                    self._activation(record)
                case Execution():
                    self.executions[record.id] = record
                    self.seen.append(f"{record.id} {record.service} {record.status}")
                case Run():
                    self._run(record)
                    if record.status is Status.FAILED:
                        ended.append(record)
        for target in {each.target for each in self.deployments.values()}:
            self.active(target)
        for run in ended:
            self._left_as_it_was(run)

    def _deployment(self, new: Deployment) -> None:
        old = self.deployments.get(new.id)
        self.deployments[new.id] = new
        if old is None:
            assert new.status is Status.QUEUED, f"{new.id} begins as {new.status}"
            return
        before, after = state_of(old), state_of(new)
        if before != after:
            name = f"{new.id} {new.target.environment}/{new.service.name}"
            self.seen.append(f"{name}: {_words(after)}")
            is_back = old.returns_to is not None and before in _CAN_FAIL
            as_it_was = is_back and (*(old.returns_to or ()), False) == after
            assert as_it_was or (before, after) in _EDGES, f"{name}: {before} became {after}"
        if new.stage is Stage.SWITCHING_ROUTE and new.status is Status.RUNNING:
            runs = [each for each in self.runs.values() if new.id in each.deployment_ids]
            held = [each.id for each in runs if each.id in self.held and not each.status.is_final]
            assert before == after or not held, f"{held} switches though it is held"

    def _activation(self, new: Activation) -> None:
        old = self.activations.get(new.name)
        before = old.state if old else None
        self.activations[new.name] = new
        if before is not new.state:
            self.seen.append(f"{new.name}: {before} -> {new.state} ({new.replaced_by})")
            assert new.state in ACTIVATION_MOVES[before], f"{new.name}: {before} to {new.state}"

    def _run(self, new: Run) -> None:
        old = self.runs.get(new.id)
        self.runs[new.id] = new
        if old is not None and old.status is not new.status:
            assert not old.status.is_final, f"{new.id} was {old.status} and is {new.status}"
        if old is None or old.status is not new.status:
            because = f" {new.failure_message}" if new.failure_message else ""
            where = f"{new.trigger} {new.target.environment}"
            self.seen.append(f"{new.id} {where}: {new.status}{because}")
        if new.status is Status.RUNNING and new.id not in self._before:
            self._before[new.id] = _ids(self.active(new.target))
        if new.status.is_final:
            assert not new.is_held, f"{new.id} is over and held"

    def active(self, target: Target) -> dict[str, Deployment]:
        """What is active in an environment, by service: one of each at most."""
        found: dict[str, Deployment] = {}
        for each in self.deployments.values():
            if each.is_active and each.target == target:
                assert each.service.name not in found, f"two of {each.service.name} are active"
                found[each.service.name] = each
        return found

    def _left_as_it_was(self, run: Run) -> None:
        """A run that failed leaves what was live, or tells by name what does not serve."""
        if run.id not in self._before:
            return
        active = self.active(run.target)
        assert _ids(active) == self._before[run.id], f"{run.id} failed, and other things are active"
        for name, deployment in active.items():
            if deployment.service.kind.is_long_running and name not in run.not_serving:
                live = self.live(deployment)
                assert live is not None, f"{run.id} failed, and {name} is not live"
                excused = self._machine.lost | self._machine.finished
                gone = set(live.instance_names) - self._machine.running.keys() - excused
                assert not gone, f"{run.id} failed, and {gone} of {name} do not run"

    def live(self, deployment: Deployment) -> Activation | None:
        """What is live of an active deployment: one activation at most."""
        found = [
            each
            for each in self.activations.values()
            if each.deployment_id == deployment.id and each.state is _LIVE
        ]
        assert len(found) <= 1, f"{deployment.id} is live twice"
        return found[0] if found else None

    # -- what is started -----------------------------------------------------

    def starts(self, spec: InstanceSpec) -> None:
        """Something is about to be started."""
        self.seen.append(f"starts {spec.name} {spec.service.name}")
        self.keeping(lambda: self._in_order(spec))

    def _in_order(self, spec: InstanceSpec) -> None:
        """What a service of a run depends on was ready before it started."""
        activation = self.activations.get(activation_of(spec.name))
        if activation is not None and activation.state is not _CANDIDATE:
            return
        execution = self.executions.get(spec.name)
        if execution is not None and execution.trigger != "deploy":
            return
        ids = next(
            each.deployment_ids
            for each in self.runs.values()
            if spec.owner.deployment_id in each.deployment_ids and not each.status.is_final
        )
        beside = {self.deployments[each].service.name: self.deployments[each] for each in ids}
        for each in spec.service.depends_on:
            if each.service in beside:
                needed = beside[each.service]
                assert self._is_so_far(needed, each.condition), (
                    f"{spec.name} starts before {each.service}"
                )

    def _is_so_far(self, needed: Deployment, condition: Condition) -> bool:
        if needed.service.kind is ServiceKind.JOB:
            ended = [each for each in self.executions.values() if each.deployment_id == needed.id]
            return needed.returns_to is not None or any(
                each.status == "succeeded" and each.trigger == "deploy" for each in ended
            )
        there = [
            each
            for each in self._machine.instances.values()
            if each.spec.owner.deployment_id == needed.id
        ]
        is_enough = condition is Condition.STARTED
        return bool(there) and all(is_enough or each.is_ready for each in there)

    # -- what is served ------------------------------------------------------

    def serves(self, table: Table) -> None:
        """The gateway serves another table."""
        self.keeping(lambda: self._serves(table))

    def _serves(self, table: Table) -> None:
        known = {each.name: each for each in table.upstreams}
        there = self._machine.running.keys() | self._machine.lost | self._machine.finished
        served = set()
        hosts = {
            (each.target, each.service.name): each.route_host
            for each in self.deployments.values()
            if each.route_host
        }
        for site in table.sites:
            for service, upstream in site.live.items():
                assert upstream in known, f"{service} is routed to {upstream}, which is no upstream"
                gone = set(self.activations[upstream].instance_names) - there
                assert not gone, f"{service} is routed to {gone}, which does not run"
            if site.service in site.live:
                served |= {key for key, host in hosts.items() if host == site.host}
        self._check_entrances(table, known.keys(), there)
        missing = {key for key in self._served - served if not self._may_be_away(*key)}
        assert not missing, f"{missing} was served and is not any more"
        self._served = served

    def _check_entrances(self, table: Table, known: Collection[str], there: set[str]) -> None:
        """No two doors are one, and nothing is behind them that is not there."""
        doors = [door for each in table.entrances for door in each.doors]
        assert len({each.name for each in doors}) == len(doors), "two doors have one name"
        places = {(each.namespace, each.port) for each in doors}
        assert len(places) == len(doors), "two doors are in one place"
        for each in table.entrances:
            if each.upstream is None:
                continue
            assert each.upstream in known, f"{each.name} leads to {each.upstream}"
            activation = self.activations[activation_of(each.upstream.removesuffix(TCP_SUFFIX))]
            deployment = self.deployments[activation.deployment_id]
            self._check_published(each, deployment)
            if deployment.status is Status.FAILED or deployment.returns_to is not None:
                continue  # a candidate that was reached while nothing was live, and ends
            gone = set(activation.instance_names) - there
            assert not gone, f"{each.name} leads to {gone}, which does not run"

    def _check_published(self, entrance: Entrance, deployment: Deployment) -> None:
        """A port of the machine leads to who publishes it, and is live or about to be."""
        container = deployment.service.container
        published = {each.port for each in container.published} if container else set()
        for door in entrance.doors:
            assert not door.is_published or door.port in published, f"{door.port} of {deployment}"

    def _may_be_away(self, target: Target, service: str) -> bool:
        """Whether it was taken down, or makes way for its successor in a run that goes on."""
        active = self.active(target).get(service)
        if active is None:
            return True
        going_on = [
            self.deployments[id_].service
            for each in self.runs.values()
            if each.target == target and each.status is Status.RUNNING
            for id_ in each.deployment_ids
        ]
        replacing = [each for each in going_on if each.name == service]
        if any(each.container and not _speaks_http(each.container) for each in replacing):
            return True  # what takes its place may answer no request
        live = self.live(active) if active.service.container else None
        if live is not None and not any(each.protocol is Protocol.HTTP for each in live.ports):
            return True
        return any(must_be_alone(each) for each in (*replacing, active.service) if replacing)


def _speaks_http(container: Container) -> bool:
    return any(each.protocol is Protocol.HTTP for each in container.ports)


def _ids(active: dict[str, Deployment]) -> dict[str, str]:
    return {name: each.id for name, each in active.items()}


def _words(state: State) -> str:
    status, stage, is_active = state
    return f"{status}, {stage}{', active' if is_active else ''}"
