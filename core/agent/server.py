"""The platform over HTTP: verbs in, one event stream out. Served on a private unix socket only."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Query

from core import __version__
from core.agent.bodies import DownBody, RunBody, TargetBody  # noqa: TC001 - read by FastAPI
from core.agent.dockerfile_routes import add_dockerfile
from core.agent.domain_routes import add_domains
from core.agent.execution_routes import add_executions
from core.agent.limits import LimitBodies
from core.agent.lines import Lines
from core.agent.log_routes import add_logs
from core.agent.notification_routes import add_notifications
from core.agent.protocol import PROTOCOL
from core.agent.refusals import REFUSALS, Json, add_refusals
from core.agent.shell_routes import add_shell
from core.agent.source_routes import add_sources, to_be_planned, to_be_run
from core.agent.user_routes import add_users
from core.agent.variable_routes import add_variables
from core.agent.watching import add_watch
from core.events import EventType
from core.model import DEFAULT_ENVIRONMENT, ExecutionTrigger
from core.records import ActivationState, Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from core.platform import Platform
    from core.sources.store import Sources

_EVENTS = 2**63
"""How many events the journal can count."""


def create_app(
    platform: Platform, sources: Sources, stop: Callable[[], None], unit: str | None = None
) -> FastAPI:
    """The agent's application; `stop` ends the agent, `unit` is what systemd started it as."""
    app = FastAPI(
        title="compartment agent",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        default_response_class=Json,
        responses=REFUSALS,
    )
    app.add_middleware(LimitBodies)
    add_refusals(app, platform.ledger.mask)
    _add_agent(app, platform, stop, unit)
    _add_runs(app, platform, sources)
    _add_reads(app, platform)
    add_executions(app, platform)
    add_logs(app, platform)
    add_notifications(app, platform)
    add_shell(app, platform)
    add_sources(app, sources)
    add_users(app, platform)
    add_domains(app, platform)
    add_variables(app, platform)
    add_dockerfile(app)
    add_watch(app, platform)
    return app


def _add_agent(
    app: FastAPI, platform: Platform, stop: Callable[[], None], unit: str | None
) -> None:
    @app.get("/v1/agent")
    async def agent() -> dict[str, Any]:
        ports = platform.gateway.ports
        return {
            "version": __version__,
            "protocol": PROTOCOL,
            "pid": os.getpid(),
            "unit": unit,
            "isRecovered": platform.recovered.is_set(),
            "isIdle": platform.is_idle,
            "home": str(platform.parts.home.root),
            "socket": str(platform.parts.home.agent_socket),
            "engines": sorted(engine.name for engine in platform.parts.engines),
            "publicAddress": f"{ports.host}:{ports.public}",
            "internalAddress": f"127.0.0.1:{ports.internal}",
            "secureAddress": f"{ports.host}:{ports.https}" if ports.https is not None else None,
            "gatewayRunning": platform.gateway.envoy.is_running,
            "shutDoors": [why for why in (await platform.gateway.listeners.shut()).values() if why],
            "notifications": platform.notifications.as_json(),
            "environments": sorted(map(str, platform.ledger.environments)),
        }

    @app.post("/v1/agent/stop")
    async def stop_agent() -> dict[str, Any]:
        activations = platform.ledger.activations.values()
        live = sum(each.state is ActivationState.LIVE for each in activations)
        # Those of a deploy end with it, because it goes back.
        executions = platform.ledger.executions.values()
        left = sum(each.trigger is not ExecutionTrigger.DEPLOY for each in executions)
        stop()
        return {"instancesLeftRunning": live + left}


def _add_runs(app: FastAPI, platform: Platform, sources: Sources) -> None:
    @app.post("/v1/plan")
    async def plan(body: RunBody) -> dict[str, Any]:
        async with to_be_planned(sources, body) as request:
            return await platform.resolver.plan(request)

    @app.post("/v1/runs")
    async def submit(body: RunBody) -> dict[str, Any]:
        async with to_be_run(sources, body) as request:
            return (await platform.runs.submit(request)).as_json()

    @app.get("/v1/runs/{run_id}")
    async def result(run_id: str) -> dict[str, Any]:
        return await platform.snapshots.run_result(run_id)

    @app.post("/v1/runs/{run_id}/cancel")
    async def cancel(run_id: str) -> dict[str, Any]:
        return (await platform.runs.cancel(run_id)).as_json()

    @app.post("/v1/runs/{run_id}/hold")
    async def hold(run_id: str) -> dict[str, Any]:
        return (await platform.runs.hold(run_id)).as_json()

    @app.post("/v1/runs/{run_id}/resume")
    async def resume(run_id: str) -> dict[str, Any]:
        return (await platform.runs.resume(run_id)).as_json()

    @app.post("/v1/down")
    async def down(body: DownBody) -> dict[str, Any]:
        return {**_named(body), "stopped": await platform.runs.down(body.request())}

    @app.get("/v1/events", response_class=Lines)
    async def events(
        after: Annotated[int, Query(ge=0, lt=_EVENTS)] = 0, run: str | None = None
    ) -> Lines:
        return Lines(_events(platform, after, run))


def _named(body: TargetBody) -> dict[str, Any]:
    return {"project": body.project, "environment": body.environment}


async def _events(platform: Platform, after: int, run_id: str | None) -> AsyncIterator[str]:
    """Events from the journal on, as they come; those of one run end with the run."""
    while True:
        changed = platform.ledger.next_change()
        events = await platform.ledger.journal.events_after(after, run_id)
        if not events:
            await changed.wait()
            continue
        after = events[-1].seq
        # What has become of its deployments later is told under the run, too.
        ends = [event.type is EventType.RUN_FINISHED for event in events if run_id]
        is_over = any(ends)
        told = events[: ends.index(True) + 1] if is_over else events
        # Together: where nobody listens any more, each of them would be a warning of its own.
        yield "".join(json.dumps(event.as_json()) + "\n" for event in told)
        if is_over:
            return


def _add_reads(app: FastAPI, platform: Platform) -> None:
    snapshots = platform.snapshots

    @app.get("/v1/status")
    async def status(
        project: str, environment: str = DEFAULT_ENVIRONMENT, service: str | None = None
    ) -> dict[str, Any]:
        return await snapshots.status(Target(project, environment), service)

    @app.get("/v1/inspect")
    async def inspect(
        project: str,
        environment: str = DEFAULT_ENVIRONMENT,
        service: str | None = None,
        deployment: str | None = None,
    ) -> dict[str, Any]:
        return await snapshots.inspect(Target(project, environment), service, deployment)

    @app.get("/v1/networks")
    async def networks(project: str, environment: str = DEFAULT_ENVIRONMENT) -> dict[str, Any]:
        return await snapshots.networks(Target(project, environment))

    @app.get("/v1/deployments")
    async def history(
        project: str,
        environment: str = DEFAULT_ENVIRONMENT,
        service: str | None = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> dict[str, Any]:
        return await snapshots.history(Target(project, environment), service, limit)
