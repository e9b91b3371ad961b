"""What front ends see of the present and the past: plain JSON, made from the ledger and journal."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from core.contained import container_json, url_of
from core.errors import NotFound
from core.logs.reader import LogSource
from core.model import Health, ServiceKind, Status
from core.promotion.domain_json import secure_url
from core.promotion.plan import auto_rollback_json
from core.promotion.usual import usual_seconds
from core.reach import reach_of
from core.records import ActivationState
from core.timetable import Timetable, schedule_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.gateway.gateway import Gateway
    from core.promotion.engines import Engines
    from core.promotion.ledger import Ledger
    from core.records import Activation, Deployment, EnvironmentRecord, Run, Target

Json = dict[str, Any]

_PAST_LOOKED_AT = 100


class Snapshots:
    """Reads; changes nothing."""

    def __init__(self, ledger: Ledger, engines: Engines, gateway: Gateway) -> None:
        self.timetable = Timetable(ledger)
        self._ledger = ledger
        self._engines = engines
        self._gateway = gateway

    async def status(self, target: Target, service: str | None) -> Json:
        """The newest deployment of each service, and the active ones.

        Raises:
            NotFound: no such project, environment or service.
        """
        newest = await self._newest(target, service)
        active = self._ledger.active(target)
        return {
            "project": target.project,
            "environment": target.environment,
            "deployments": [self.deployment(each) for each in newest],
            "activeDeployments": [
                self.deployment(active[name]) for name in sorted(active) if service in (None, name)
            ],
            "executions": await self._executions(target, service),
        }

    async def _executions(self, target: Target, service: str | None) -> Json:
        """Of each active job and cron: the last, how many run, and when it is due."""
        briefs = await self.timetable.briefs(target)
        return {name: each for name, each in briefs.items() if service in (None, name)}

    async def _newest(self, target: Target, service: str | None) -> list[Deployment]:
        newest = await self._ledger.journal.newest_per_service(target)
        if not newest:
            await self._explain_absence(target)
        if service is None:
            return newest
        named = [each for each in newest if each.service.name == service]
        if not named:
            raise NotFound(
                f"no service {service} was ever deployed to {target}",
                hint=f"deployed: {', '.join(each.service.name for each in newest)}",
                code="service_not_found",
            )
        return named

    async def _explain_absence(self, target: Target) -> None:
        known = {each for each, _ in await self._ledger.journal.services_with_history()}
        environments = sorted(each.environment for each in known if each.project == target.project)
        if environments:
            raise NotFound(
                f"project {target.project} has no environment {target.environment}",
                hint=f"it has: {', '.join(environments)}",
                code="environment_not_found",
            )
        raise NotFound(
            f"project {target.project} was never deployed",
            hint="deploy it: compartment deploy",
            code="project_not_found",
        )

    def deployment(self, deployment: Deployment) -> Json:
        """One deployment, with what the gateway and the engine know of it."""
        is_long_running = deployment.service.kind.is_long_running
        live = self._ledger.live(deployment.id)
        started = live.started_at if live else None
        return {
            **deployment.as_json(),
            "environmentName": deployment.target.environment,
            "routeUrl": self.url(deployment),
            "rollbackAvailable": self._can_return(deployment),
            "replicas": {
                "ready": _ready(deployment, live) if live else 0,
                "desired": deployment.service.replicas if is_long_running else 0,
            },
            "startedAt": started,
            "uptimeSeconds": _seconds_since(started) if started else None,
        }

    def url(self, deployment: Deployment) -> str | None:
        """Where a deployment is reached from outside; None where it is not, or never was live."""
        if deployment.activated_at is None:
            return None
        secure = secure_url(
            self._ledger.domains.values(),
            deployment.target,
            deployment.service.name,
            self._gateway.ports,
        )
        if secure is not None and deployment.service.kind is ServiceKind.WEB:
            return secure
        live = self._ledger.live(deployment.id)
        asked = {each.number: each.protocol for each in live.ports} if live else {}
        published = url_of(deployment.service, asked)
        if published is not None or deployment.route_host is None:
            return published
        ports = self._gateway.ports
        is_public = deployment.service.kind is ServiceKind.WEB
        port = ports.public if is_public else ports.internal
        return f"http://{deployment.route_host}" + ("" if port == 80 else f":{port}")

    def _can_return(self, deployment: Deployment) -> bool:
        return (
            deployment.activated_at is not None
            and deployment.status in (Status.SUCCEEDED, Status.STOPPED)
            and not deployment.is_active
            and self._engines.has_artifact(deployment)
        )

    async def inspect(self, target: Target, service: str | None, deployment_id: str | None) -> Json:
        """Everything about deployments: the newest of each service, or the one named.

        Raises:
            NotFound: no such project, environment, service or deployment.
        """
        if deployment_id is None:
            found: Sequence[Deployment] = await self._newest(target, service)
        else:
            found = [await self._one(deployment_id)]
        return {
            "project": target.project,
            "environment": target.environment,
            "deployments": [self._inspected(each) for each in found],
            "executions": await self._executions(target, service),
        }

    async def _one(self, deployment_id: str) -> Deployment:
        kept = self._ledger.deployments.get(deployment_id)
        found = kept or await self._ledger.journal.deployment(deployment_id)
        if found is None:
            raise NotFound(
                f"no deployment {deployment_id}",
                hint="see `compartment deployment list`",
                code="deployment_not_found",
            )
        return found

    def _inspected(self, deployment: Deployment) -> Json:
        service = deployment.service
        activations = [
            each
            for each in self._ledger.activations.values()
            if each.deployment_id == deployment.id
        ]
        return {
            **self.deployment(deployment),
            "path": service.path,
            "strategy": service.strategy,
            "artifactId": deployment.artifact_id,
            "artifactState": ("available" if self._engines.has_artifact(deployment) else "cleaned"),
            "build": asdict(service.build),
            "run": {"command": service.run_command, "restart": asdict(service.restart)},
            "readiness": asdict(service.readiness) if service.readiness else None,
            "drain": asdict(service.drain),
            "autoRollback": auto_rollback_json(service),
            "schedule": schedule_json(service.schedule) if service.schedule else None,
            "timeLimitMs": None if service.kind.is_long_running else service.time_limit_ms,
            "routeHost": deployment.route_host,
            "routes": [asdict(rule) for rule in deployment.rules],
            "variableNames": sorted(deployment.assigned),
            "activations": [_activation(each) for each in activations],
            "container": container_json(service.container) if service.container else None,
        }

    async def history(self, target: Target, service: str | None, limit: int) -> Json:
        """The newest deployments with their runs, and the rollbacks among them, newest first.

        A rollback makes no deployments: it is told by the runs alone.
        """
        journal = self._ledger.journal
        found = await journal.history(target, service, limit)
        if not found:
            await self._newest(target, service)
        # Nothing older than the oldest one, unless there is nothing older.
        since = found[-1].created_at if len(found) == limit else ""
        run_ids = list({each.run_id for each in found})
        runs = await journal.runs_and_rollbacks(target, run_ids, since, limit)
        return {
            "project": target.project,
            "environment": target.environment,
            "deployments": [self.deployment(each) for each in found],
            "runs": await self._runs_of(runs, target, service),
        }

    async def _runs_of(
        self, runs: Sequence[Run], target: Target, service: str | None
    ) -> list[Json]:
        """Runs with the deployments that they started, of one service or of all."""
        names = await self._ledger.journal.service_names(_ids_of(runs))
        active = {each.id for each in self._ledger.active(target).values()}
        return [
            {
                **run.as_json(),
                "deployments": [
                    {"id": each, "serviceName": names[each], "isActive": each in active}
                    for each in run.deployment_ids
                    if each in names and service in (None, names[each])
                ],
            }
            for run in runs
            if service is None or service in (names.get(each) for each in run.deployment_ids)
        ]

    async def run(self, run_id: str) -> Run:
        """One run as it is now.

        Raises:
            NotFound: there is none of that id.
        """
        found = self._ledger.runs.get(run_id) or await self._ledger.journal.run(run_id)
        if found is None:
            raise NotFound(f"no run {run_id}", code="run_not_found")
        return found

    async def run_result(self, run_id: str) -> Json:
        """A run with its deployments, in the shape of a deploy's reply."""
        run = await self.run(run_id)
        found = await self._ledger.journal.deployments_of(run)
        active = self._ledger.active(run.target)
        return {
            "project": run.target.project,
            "environment": run.target.environment,
            "deploymentRunId": run.id,
            "run": run.as_json(),
            "failureMessage": run.failure_message,
            "deployments": [self.deployment(each) for each in found],
            "activeDeployments": [self.deployment(active[name]) for name in sorted(active)],
        }

    async def runs(self, target: Target, limit: int) -> Json:
        """The newest runs, newest first; none when it was never deployed."""
        journal = self._ledger.journal
        found = await journal.newest_runs(target, limit)
        names = await journal.service_names(_ids_of(found))
        usual = {
            trigger: await usual_seconds(journal, target, trigger)
            for trigger in {run.trigger for run in found}
        }
        return {
            "project": target.project,
            "environment": target.environment,
            "runs": [
                {
                    **run.as_json(),
                    "usualSeconds": usual[run.trigger],
                    "services": sorted(names[each] for each in run.deployment_ids if each in names),
                }
                for run in found
            ],
        }

    async def environments(self) -> Json:
        """Every environment of every project that is deployed."""
        known = sorted(self._ledger.environments.values(), key=lambda each: str(each.target))
        return {"environments": [await self._environment(each) for each in known]}

    async def _environment(self, record: EnvironmentRecord) -> Json:
        target = record.target
        active = self._ledger.active(target).values()
        last = (await self.runs(target, 1))["runs"]
        return {
            "project": target.project,
            "environment": target.environment,
            "engine": record.engine,
            "root": record.root,
            "files": list(record.files),
            "envFiles": list(record.env_files),
            "profiles": list(record.profiles),
            "services": {
                "active": len(active),
                "unhealthy": sum(each.health is Health.UNHEALTHY for each in active),
            },
            "lastRun": last[0] if last else None,
        }

    async def networks(self, target: Target) -> Json:
        """Who reaches whom among what is active.

        Raises:
            NotFound: no such project or environment.
        """
        record = self._ledger.environments.get(target)
        active = [each.service for each in self._ledger.active(target).values()]
        if not active:
            await self._newest(target, None)
        return {
            "project": target.project,
            "environment": target.environment,
            "engine": record.engine if record else None,
            **reach_of(active, record.engine if record else None),
        }

    async def log_sources(
        self, target: Target, service: str | None, deployment_id: str | None
    ) -> list[LogSource]:
        """Whose logs are meant: one deployment's, else those of what is active, else the newest."""
        if deployment_id is not None:
            return [_source(await self._one(deployment_id))]
        active = self._ledger.active(target)
        newest = await self._newest(target, service)
        return [_source(active.get(each.service.name, each)) for each in newest]

    def current_log_sources(self, target: Target, service: str | None) -> list[LogSource]:
        """Whose lines a follower wants now: what is active or on its way, and has just ended."""
        wanted = {**self._ledger.lately_forgotten(), **self._ledger.deployments}
        return [
            _source(each)
            for each in wanted.values()
            if each.target == target and service in (None, each.service.name)
        ]

    async def past_log_sources(self, target: Target, service: str | None) -> list[LogSource]:
        """Whose lines are wanted besides after a loss: what has ended meanwhile may say why."""
        past = await self._ledger.journal.history(target, service, _PAST_LOOKED_AT)
        return [_source(each) for each in past]


def _ids_of(runs: Sequence[Run]) -> list[str]:
    """The deployments that runs started; the journal may have forgotten some of them by now."""
    return [each for run in runs for each in run.deployment_ids]


def _source(deployment: Deployment) -> LogSource:
    return LogSource(deployment.id, deployment.service.name, deployment.target.environment)


def _activation(activation: Activation) -> Json:
    return {
        "name": activation.name,
        "state": activation.state,
        "addresses": [f"{host}:{port}" for host, port in activation.addresses],
        "ports": [{"port": each.number, "protocol": each.protocol} for each in activation.ports],
        "startedAt": activation.started_at,
        "isLive": activation.state is ActivationState.LIVE,
    }


def _ready(deployment: Deployment, live: Activation) -> int:
    """How many of its instances serve, as far as that is known."""
    if deployment.health is not Health.UNHEALTHY:
        return live.replicas
    return live.replicas - live.unhealthy if live.unhealthy else 0


def _seconds_since(at: str) -> float:
    """Nothing where the clock was set back since."""
    return round(max(0.0, (datetime.now(UTC) - datetime.fromisoformat(at)).total_seconds()), 1)
