"""What the journal says of the present: what an agent starts from, and single records."""

from __future__ import annotations

from core.journal.database import Database
from core.records import (
    Activation,
    Deployment,
    DomainRecord,
    EnvironmentRecord,
    Execution,
    HostRecord,
    Run,
    UserRecord,
    VariableRecord,
)

_LATEST_MOMENTS = """
SELECT
    (SELECT coalesce(max(created_at), '') FROM runs),
    max((SELECT coalesce(max(created_at), '') FROM deployments),
        (SELECT coalesce(max(activated_at), '') FROM deployments)),
    (SELECT coalesce(max(started_at), '') FROM executions)
"""


class Present(Database):
    """Questions whose answers do not grow with the past."""

    async def current_deployments(self) -> list[Deployment]:
        """What is active, on its way, or still has an instance."""
        return await self._read(
            Deployment,
            # Each of the four by an index of its own: most of the journal is the past.
            "SELECT body FROM deployments WHERE id IN ("
            "SELECT id FROM deployments WHERE is_active = 1"
            " UNION SELECT id FROM deployments WHERE status IN ('queued', 'running')"
            " UNION SELECT substr(name, 1, instr(name, '.') - 1) FROM activations"
            " WHERE state != 'gone'"
            " UNION SELECT deployment_id FROM executions WHERE status = 'running')"
            " ORDER BY rowid",
        )

    async def current_activations(self) -> list[Activation]:
        """Every activation that may have an instance."""
        return await self._read(Activation, "SELECT body FROM activations WHERE state != 'gone'")

    async def unfinished_runs(self) -> list[Run]:
        """Runs that an earlier agent left queued or running, oldest first."""
        return await self._read(
            Run,
            "SELECT body FROM runs WHERE status IN ('queued', 'running') ORDER BY created_at",
        )

    async def environments(self) -> list[EnvironmentRecord]:
        """Every environment that was ever deployed and not taken down."""
        return await self._read(EnvironmentRecord, "SELECT body FROM environments")

    async def hosts(self) -> list[HostRecord]:
        """Every host name given out."""
        return await self._read(HostRecord, "SELECT body FROM hosts")

    async def variables(self) -> list[VariableRecord]:
        """Every variable that is set."""
        return await self._read(VariableRecord, "SELECT body FROM variables")

    async def users(self) -> list[UserRecord]:
        """Everybody who may see what is not public."""
        return await self._read(UserRecord, "SELECT body FROM users")

    async def domains(self) -> list[DomainRecord]:
        """Every domain that leads to a service."""
        return await self._read(DomainRecord, "SELECT body FROM domains")

    async def run(self, run_id: str) -> Run | None:
        """One run."""
        found = await self._read(Run, "SELECT body FROM runs WHERE id = ?", run_id)
        return found[0] if found else None

    async def deployment(self, deployment_id: str) -> Deployment | None:
        """One deployment."""
        found = await self._read(
            Deployment, "SELECT body FROM deployments WHERE id = ?", deployment_id
        )
        return found[0] if found else None

    async def running_executions(self) -> list[Execution]:
        """Those that an earlier agent has not seen the end of."""
        return await self._read(
            Execution, "SELECT body FROM executions WHERE status = 'running' ORDER BY started_at"
        )

    async def execution(self, execution_id: str) -> Execution | None:
        """One execution."""
        found = await self._read(
            Execution, "SELECT body FROM executions WHERE id = ?", execution_id
        )
        return found[0] if found else None

    async def latest_moments(self) -> tuple[str, str, str]:
        """The latest one that is kept of a run, a deployment and an execution; empty: of none."""

        def work() -> tuple[str, str, str]:
            found: tuple[str, str, str] = (
                self._open_connection().execute(_LATEST_MOMENTS).fetchone()
            )
            return found

        return await self._call(work)

    async def setting(self, name: str) -> str | None:
        """A value kept by `keep_setting`."""

        def work() -> str | None:
            row = (
                self._open_connection()
                .execute("SELECT value FROM settings WHERE name = ?", (name,))
                .fetchone()
            )
            return row[0] if row else None

        return await self._call(work)
