"""Jobs that a test runs on an engine, deployed without a run."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from core.engines.base import Owner, WantedNetwork
from core.logs.reader import LogQuery, LogSource, read
from core.model import (
    EngineName,
    ExecutionTrigger,
    Health,
    Service,
    ServiceKind,
    Stage,
    Status,
    Stream,
)
from core.records import EnvironmentRecord, Execution, new_id
from tests.promotion.records import TARGET, deployment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.engines.base import Engine
    from core.promotion.executions import Executions
    from core.promotion.parts import Parts
    from core.records import Deployment

DOCKERFILE = """\
FROM python:3.11-slim
COPY run.sh /run.sh
CMD ["sh", "/run.sh"]
"""
LIMIT_S = 60.0
"""Generous: other tests run beside these."""


class Works:
    """An agent's parts on one engine, and the jobs that a test runs with them."""

    def __init__(self, parts: Parts, engine: Engine, root: Path) -> None:
        self.parts = parts
        self.engine = engine
        self._root = root

    @property
    def executions(self) -> Executions:
        return self.parts.executions

    async def deployed(
        self,
        command: str,
        *,
        name: str = "nightly",
        kind: ServiceKind = ServiceKind.CRON,
        **fields: Any,
    ) -> Deployment:
        """An active deployment of a cron that runs a shell command."""
        folder = self._root / "job"
        folder.mkdir(exist_ok=True)
        (folder / "run.sh").write_text(command)
        run_command: str | None = "exec sh run.sh"
        if self.engine.name is EngineName.DOCKER:
            (folder / "Dockerfile").write_text(DOCKERFILE)
            run_command = None
        service = Service(name, "job", kind, run_command=run_command, **fields)
        source = await self.engine.take(self._root, service, self._variables, {})
        owner = Owner(TARGET, service.name, "dep_built")
        await self.engine.build(source, owner, lambda _: None)
        await self.engine.prepare(TARGET, [WantedNetwork(None, {})])
        found = deployment(
            id=new_id("dep"),
            service=service,
            artifact_id=source.artifact_id,
            variables=self._variables,
            engine=self.engine.name,
            status=Status.SUCCEEDED,
            stage=Stage.ACTIVE,
            is_active=True,
            health=Health.HEALTHY,
        )
        record = EnvironmentRecord(TARGET, EngineName(self.engine.name), str(self._root))
        await self.parts.ledger.write(found, record)
        return found

    @property
    def _variables(self) -> dict[str, str]:
        return self.engine.inherited(os.environ)

    async def run(
        self, command: str, trigger: ExecutionTrigger = ExecutionTrigger.MANUAL, **fields: Any
    ) -> Execution:
        async with asyncio.timeout(LIMIT_S):
            return await self.executions.run(await self.deployed(command, **fields), trigger)

    def output(self, execution: Execution, *streams: Stream) -> list[str]:
        """What it has printed."""
        source = LogSource(execution.deployment_id, execution.service, "production")
        query = LogQuery(streams=frozenset(streams or (Stream.STDOUT, Stream.STDERR)))
        return [line.message for line in read(self.parts.home.logs, [source], query)]

    async def printed(self, execution: Execution, text: str) -> None:
        """Waits for a line."""
        await until(lambda: text in self.output(execution))

    def health(self, execution: Execution) -> Health:
        return self.parts.ledger.deployments[execution.deployment_id].health

    async def is_removed(self, execution: Execution) -> bool:
        return execution.id not in await self.engine.instances()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not is_so():
            await asyncio.sleep(0.01)
