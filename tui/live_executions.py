"""What the dashboard asks of the agent about jobs and crons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.agent.client import Client

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LiveExecutions:
    """The jobs and crons of one environment."""

    client: Client
    target: Mapping[str, str]

    async def recent(self, service: str, limit: int = 10) -> list[Json]:
        """The newest executions of a service, newest first."""
        query = {**self.target, "service": service, "limit": limit}
        found: list[Json] = (await self.client.executions(query))["executions"]
        return found

    async def crons(self) -> list[Json]:
        """The schedules, with the next time of each."""
        found: list[Json] = (await self.client.crons(self.target))["crons"]
        return found

    async def start(self, service: str) -> Json:
        """Runs a job or cron now; returns the execution as it began."""
        return await self.client.execute({**self.target, "service": service})

    async def cancel(self, execution_id: str) -> Json:
        """Ends one that runs; returns it as it ended."""
        return await self.client.cancel_execution(execution_id)
