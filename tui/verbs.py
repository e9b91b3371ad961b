"""What the dashboard asks of the agent, about one environment of one project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.model import Project, Trigger

Json = dict[str, Any]


class Variables(Protocol):
    """The variables of one environment; what is set holds from the next deployment on."""

    async def found(self) -> list[Json]:
        """Those of the environment, then those of each service itself.

        Each as `GET /v1/variables/{key}` tells of it: `value` is None where `valueHidden`.
        """

    async def set(self, name: str, value: str, service: str | None, *, is_sensitive: bool) -> None:
        """Sets one for a service, or for all of them."""

    async def remove(self, name: str, service: str | None) -> None:
        """Removes one."""

    async def take_in(
        self, values: Mapping[str, str], service: str | None, *, is_sensitive: bool
    ) -> None:
        """Sets several at once, or none of them."""


class Executions(Protocol):
    """The times that jobs and crons of one environment ran."""

    async def recent(self, service: str, limit: int = 10) -> list[Json]:
        """The newest ones, newest first."""

    async def crons(self) -> list[Json]:
        """The schedules, with the next time of each."""

    async def start(self, service: str) -> Json:
        """Runs a job or cron now; returns the execution as it began."""

    async def cancel(self, execution_id: str) -> Json:
        """Ends one that runs; returns it as it ended."""


class Verbs(Protocol):
    """Every call may raise a CompartmentError, which has words for people."""

    @property
    def variables(self) -> Variables:
        """What is asked about variables."""

    @property
    def executions(self) -> Executions:
        """What is asked about jobs and crons."""

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

    async def promotion(self, source: str, target: str) -> Json:
        """What promoting an environment to another one would do: the answer of `POST /v1/plan`."""

    async def promote(self, source: str, target: str) -> Json:
        """Begins to promote an environment to another one of the project; returns the run."""

    async def hold(self, run_id: str) -> None:
        """Has a run wait before its switch."""

    async def resume(self, run_id: str) -> None:
        """Lets a held run go on."""

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

    async def networks(self) -> Json:
        """Who reaches whom among what is active: the answer of `GET /v1/networks`."""

    async def environments(self) -> list[Json]:
        """The environments of all projects of this agent."""

    async def shell(self, service: str) -> Json:
        """How to open a shell in the live instance: `argv`, `cwd`, `environment`."""
