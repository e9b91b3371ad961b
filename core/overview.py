"""One environment at this moment, as a dashboard sees it; asked often, so it remembers.

The present comes from the ledger. What only the journal knows is asked again when an event says
that it may be different now.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from core import __version__
from core.errors import EngineUnavailable
from core.events import EventType
from core.model import ReadinessType, Status, Trigger
from core.promotion import users
from core.promotion.domain_json import domain_json
from core.promotion.plan import auto_rollback_json
from core.promotion.usual import usual_seconds
from core.records import ActivationState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.events import Event
    from core.model import Readiness, RouteRule
    from core.promotion.parts import Parts
    from core.records import Activation, Deployment, Execution, Run, Target
    from core.snapshots import Snapshots

Json = dict[str, Any]

_DECISIVE = frozenset(
    {EventType.RUN_FINISHED, EventType.DEPLOYMENT_FAILED, EventType.SERVICE_STOPPED}
)
"""After these the journal's answers are different; after a failure, where it was a rollback."""

_EXECUTIONS = frozenset({EventType.EXECUTION_STARTED, EventType.EXECUTION_ENDED})

_RUNS_LOOKED_AT = 20
"""Among so many of the newest runs is the one that ended last."""


class Overview:
    """The services and runs of one environment."""

    def __init__(self, target: Target, parts: Parts, snapshots: Snapshots) -> None:
        self._target = target
        self._parts = parts
        self._ledger = parts.ledger
        self._newest: dict[str, Deployment] = {}
        self._earlier: dict[str, Deployment] = {}
        self._startable: set[str] = set()
        """The artifacts of the earlier ones that are there."""
        self._executions: dict[str, Execution] = {}
        """The last one of each job and cron."""
        self._last_run: Run | None = None
        self._usual: dict[Trigger, float | None] = {}
        self._timetable = snapshots.timetable
        self._told = _Told(parts, snapshots)

    async def open(self) -> None:
        """Reads what the journal has."""
        for run in self._unfinished():
            seq = 0
            while events := await self._ledger.journal.events_after(seq, run.id):
                self._told.follow(events)
                seq = events[-1].seq
        await self._ask_journal()

    async def learn(self, events: Sequence[Event]) -> None:
        """Takes over what the events of this environment tell."""
        self._told.follow(events)
        if any(self._is_decisive(event) for event in events):
            await self._ask_journal()
        elif any(event.type in _EXECUTIONS for event in events):
            await self._ask_for_executions()

    def _is_decisive(self, event: Event) -> bool:
        if event.type is EventType.STAGE_CHANGED:
            # It displaces what was live, or is started again itself.
            earlier = {each.id for each in self._earlier.values()}
            return bool(event.data.get("isActive")) or event.deployment_id in earlier
        return event.type in _DECISIVE

    async def _ask_journal(self) -> None:
        journal, target = self._ledger.journal, self._target
        newest = await journal.newest_per_service(target)
        self._newest = {each.service.name: each for each in newest}
        earlier = await journal.earlier_per_service(target)
        self._earlier = {each.service.name: each for each in earlier}
        self._look_for_artifacts()
        await self._ask_for_executions()
        runs = await journal.newest_runs(target, _RUNS_LOOKED_AT)
        ended = [run for run in runs if run.status.is_final]
        self._last_run = max(ended, key=lambda run: run.completed_at or "", default=None)
        self._usual = {each: await usual_seconds(journal, target, each) for each in Trigger}

    async def _ask_for_executions(self) -> None:
        self._executions = await self._ledger.journal.last_executions(self._target)

    def _look_for_artifacts(self) -> None:
        engines = self._parts.engines
        earlier = self._earlier.values()
        self._startable = {each.artifact_id for each in earlier if engines.has_artifact(each)}

    async def look_closer(self) -> None:
        """Looks at what changes without an event: which artifacts are left, and restarts."""
        self._look_for_artifacts()
        active = {each.id for each in self._ledger.active(self._target).values()}
        for activation in list(self._ledger.activations.values()):
            if activation.state is ActivationState.LIVE and activation.deployment_id in active:
                await self._told.look_for_restarts(activation)

    def _unfinished(self) -> list[Run]:
        """The runs that are not over: the one that goes on, then those behind it."""
        runs = [run for run in self._ledger.runs.values() if run.target == self._target]
        return sorted(runs, key=lambda run: (run.status is not Status.RUNNING, run.created_at))

    def present(self) -> Json:
        """Everything as it is now, with no await in between."""
        unfinished = self._unfinished()
        self._told.begin({run.id for run in unfinished})
        shown = unfinished[0] if unfinished else self._last_run
        return {
            "environment": self._environment(),
            "services": self._services(),
            "run": self._run(shown) if shown else None,
            "queue": [self._run(run) for run in unfinished[1:]],
        }

    def _environment(self) -> Json:
        record = self._ledger.environments.get(self._target)
        gateway = self._parts.router.gateway
        return {
            "project": self._target.project,
            "environment": self._target.environment,
            "engine": record.engine if record else None,
            "root": record.root if record else None,
            "publicAddress": f"{gateway.ports.host}:{gateway.ports.public}",
            "internalAddress": f"127.0.0.1:{gateway.ports.internal}",
            "gatewayRunning": gateway.envoy.is_running,
            "agentVersion": __version__,
            "users": users.names(self._parts.router, self._target),
        }

    def _run(self, run: Run) -> Json:
        return {**run.as_json(), "usualSeconds": self._usual.get(run.trigger)}

    def _services(self) -> Json:
        known: dict[str, list[Deployment]] = {name: [] for name in self._newest}
        for each in self._ledger.deployments.values():
            if each.target == self._target:
                known.setdefault(each.service.name, []).append(each)
        domains = self._domains()
        return {
            name: {**self._service(name, known[name]), "domains": domains.get(name, [])}
            for name in sorted(known)
        }

    def _domains(self) -> dict[str, list[Json]]:
        """The domains of each service, the oldest first: it is the one that is opened."""
        ports, now = self._parts.router.gateway.ports, datetime.now(UTC)
        found: dict[str, list[Json]] = {}
        records = self._ledger.domains.values()
        for each in sorted(records, key=lambda each: (each.created_at, each.host)):
            if each.target == self._target:
                found.setdefault(each.service, []).append(domain_json(each, ports, now))
        return found

    def _service(self, name: str, current: Sequence[Deployment]) -> Json:
        live = next((each for each in current if each.is_active), None)
        coming = [each for each in current if not each.is_active and not each.status.is_final]
        # A run that waits has its candidates too; those of a rollback may be older than any other.
        coming.sort(key=lambda each: (each.status is not Status.RUNNING, each.created_at))
        candidate = coming[0] if coming else None
        newest = self._newest_of(name, current)
        earlier = self._earlier.get(name)
        can_return = live and earlier and earlier.artifact_id in self._startable
        routed = live or candidate
        return {
            "name": name,
            "kind": newest.service.kind,
            "live": self._told.of(live),
            "candidate": self._told.of(candidate),
            "failed": self._told.of(newest if _has_failed_since(live, newest) else None),
            "previous": self._told.of(earlier if can_return else None),
            "waiting": self._waiting(live, candidate, *(each for each in current if _ends(each))),
            "routes": [_rule(rule) for rule in routed.rules] if routed else [],
            "execution": self._timetable.brief(live or newest, self._executions),
        }

    def _newest_of(self, name: str, current: Sequence[Deployment]) -> Deployment:
        """The newest deployment; one that the ledger has too is told as it is there."""
        found = {each.id: each for each in (self._newest.get(name), *current) if each}
        return max(found.values(), key=lambda each: each.created_at)

    def _waiting(self, *deployments: Deployment | None) -> Json | None:
        """What the first of these that waits, waits for: what is live waits for a drain only."""
        for each in deployments:
            found = self._parts.progress.of(each.id) if each else None
            if found:
                return found.as_json()
        return None


def _has_failed_since(live: Deployment | None, newest: Deployment) -> bool:
    """Whether the last attempt failed; what became live after it has settled the matter."""
    is_later = live is None or newest.created_at > (live.activated_at or "")
    return newest.status is Status.FAILED and is_later


def _ends(deployment: Deployment) -> bool:
    """Whether its instance is on its way out: taken down, or a candidate that is not wanted."""
    return deployment.status.is_final and not deployment.is_active


def _readiness(readiness: Readiness) -> Json:
    return {
        "type": readiness.type,
        "path": readiness.path if readiness.type is ReadinessType.HTTP else None,
        "command": readiness.command,
        "timeoutMs": readiness.timeout_ms,
    }


@lru_cache(maxsize=1024)
def _rule(rule: RouteRule) -> Json:
    return asdict(rule)


class _Told:
    """Deployments as they are told, made again only when something about them is different."""

    def __init__(self, parts: Parts, snapshots: Snapshots) -> None:
        self._parts = parts
        self._snapshots = snapshots
        self._reached: dict[str, tuple[str, str]] = {}
        """The run in which a deployment reached its stage, and when."""
        self._restarts: dict[str, int] = {}
        self._instances: dict[str, Activation] = {}
        self._made: dict[str, tuple[tuple[object, ...], Json]] = {}
        """What each deployment was told from, and how."""
        self._before = self._made

    def follow(self, events: Sequence[Event]) -> None:
        """Takes note of when stages were reached."""
        for event in events:
            if event.type is EventType.STAGE_CHANGED and event.deployment_id and event.run_id:
                self._reached[event.deployment_id] = (event.run_id, event.at)

    async def look_for_restarts(self, activation: Activation) -> None:
        """Takes note of how often its instance was started again."""
        engine = self._parts.engine_behind(activation)
        try:
            found = [await engine.adopt(name) for name in activation.instance_names]
        except EngineUnavailable:
            return
        self._restarts[activation.name] = sum(each.restarts for each in found if each)

    def begin(self, unfinished: set[str]) -> None:
        """Begins a look; what is not asked for until the next one is forgotten then."""
        self._before, self._made = self._made, {}
        self._reached = {key: at for key, at in self._reached.items() if at[0] in unfinished}
        instances = self._parts.ledger.activations
        self._restarts = {key: n for key, n in self._restarts.items() if key in instances}
        self._instances = {each.deployment_id: each for each in instances.values()}

    def of(self, deployment: Deployment | None) -> Json | None:
        """One deployment; the same object as the last time when it is the same."""
        if deployment is None:
            return None
        key = deployment.id
        instance, reached = self._instances.get(key), self._reached.get(key)
        url = self._snapshots.url(deployment)  # that of a domain comes with its certificate
        sources = (deployment, instance, reached, self._restarts_of(instance), url)
        made = self._before.get(key)
        if made is None or made[0] != sources:
            made = (sources, self._make(deployment, instance))
        self._made[key] = made
        return made[1]

    def _restarts_of(self, instance: Activation | None) -> int:
        return self._restarts.get(instance.name, 0) if instance else 0

    def _make(self, deployment: Deployment, instance: Activation | None) -> Json:
        told = self._snapshots.deployment(deployment)
        del told["uptimeSeconds"]
        _, since = self._reached.get(deployment.id, (None, None))
        addresses = instance.addresses if instance else ()
        readiness, drain = deployment.service.readiness, deployment.service.drain
        return {
            **told,
            "artifactId": deployment.artifact_id,
            "stageSince": since,
            "address": f"{addresses[0][0]}:{addresses[0][1]}" if addresses else None,
            "restarts": self._restarts_of(instance),
            "readiness": _readiness(readiness) if readiness else None,
            "drain": {"timeoutMs": drain.timeout_ms, "streamsMs": drain.streams_ms},
            "autoRollback": auto_rollback_json(deployment.service),
        }
