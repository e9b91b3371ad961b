"""What dashboards ask for: one environment as it goes on, its runs, and which others there are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, Query

from core.agent.lines import Lines
from core.model import DEFAULT_ENVIRONMENT
from core.records import Target
from core.watch import Watch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.platform import Platform


def add_watch(app: FastAPI, platform: Platform) -> None:
    """Adds the routes."""
    snapshots = platform.snapshots

    @app.get("/v1/watch", response_class=Lines)
    async def watch(project: str, environment: str = DEFAULT_ENVIRONMENT) -> Lines:
        target = Target(project, environment)
        found = Watch(target, platform.parts, snapshots, platform.statistics)
        return Lines(_lines(found))

    @app.get("/v1/runs")
    async def runs(
        project: str,
        environment: str = DEFAULT_ENVIRONMENT,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
    ) -> dict[str, Any]:
        return await snapshots.runs(Target(project, environment), limit)

    @app.get("/v1/environments")
    async def environments() -> dict[str, Any]:
        return await snapshots.environments()


async def _lines(watch: Watch) -> AsyncIterator[str]:
    async for update in watch.updates():
        yield json.dumps(update) + "\n"
