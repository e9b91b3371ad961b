"""Jobs and crons over HTTP: what ran, what is due, and running one now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Query

from core.agent.bodies import ExecutionBody  # noqa: TC001 - read by FastAPI
from core.model import DEFAULT_ENVIRONMENT
from core.records import Target

if TYPE_CHECKING:
    from core.platform import Platform


def add_executions(app: FastAPI, platform: Platform) -> None:
    """Adds `/v1/executions` and `/v1/crons`."""
    timetable, background = platform.snapshots.timetable, platform.background

    @app.get("/v1/executions")
    async def executions(
        project: str,
        environment: str = DEFAULT_ENVIRONMENT,
        service: str | None = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> dict[str, Any]:
        return await timetable.executions(Target(project, environment), service, limit)

    @app.post("/v1/executions")
    async def execute(body: ExecutionBody) -> dict[str, Any]:
        return (await background.start(body.target, body.service)).as_json()

    @app.get("/v1/executions/{execution_id}")
    async def execution(execution_id: str) -> dict[str, Any]:
        return (await timetable.execution(execution_id)).as_json()

    @app.post("/v1/executions/{execution_id}/cancel")
    async def cancel(execution_id: str) -> dict[str, Any]:
        await background.cancel(execution_id)
        return (await timetable.execution(execution_id)).as_json()

    @app.get("/v1/crons")
    async def crons(project: str, environment: str = DEFAULT_ENVIRONMENT) -> dict[str, Any]:
        return await timetable.crons(Target(project, environment))
