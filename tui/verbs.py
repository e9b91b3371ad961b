"""What the dashboard asks of the agent, about one environment of one project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model import Project, Trigger

Json = dict[str, Any]


class Verbs(Protocol):
    """Every call may raise a CompartmentError, which has words for people."""

    @property
    def project(self) -> Project | None:
        """The project as its files were when the dashboard was opened; None without files."""

    async def plan(
        self, trigger: Trigger, services: Sequence[str] = (), to: str | None = None
    ) -> Json:
        """What a run would do: the answer of `POST /v1/plan`."""

    async def submit(
        self, trigger: Trigger, services: Sequence[str] = (), to: str | None = None
    ) -> Json:
        """Begins a run, all services when none is named; returns the run."""

    async def cancel(self, run_id: str) -> Json:
        """Stops a run before its switch; returns the run as it ended."""

    async def runs(self, limit: int = 30) -> list[Json]:
        """The newest runs, newest first."""

    async def run_result(self, run_id: str) -> Json:
        """A run with its deployments."""

    async def run_events(self, run_id: str) -> list[Json]:
        """The events of a run so far, oldest first."""

    async def deployments(self, service: str | None = None, limit: int = 50) -> list[Json]:
        """The newest deployments, newest first."""

    async def inspect(self, deployment_id: str) -> Json:
        """Everything about one deployment."""

    async def environments(self) -> list[Json]:
        """The environments of all projects of this agent."""

    async def shell(self, service: str) -> Json:
        """How to open a shell in the live instance: `argv`, `cwd`, `environment`."""
