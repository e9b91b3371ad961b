"""What the dashboard asks of the agent, about one environment."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from core.cli.requests import deploy_body, promote_body, rollback_body
from core.cli.target import project_in
from core.config.compose.options import ComposeOptions
from core.errors import UsageError
from core.model import Trigger
from core.remote.sending import as_there, with_source
from core.remote.shell import shell_there
from tui.live_executions import LiveExecutions
from tui.live_variables import LiveVariables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.agent.client import Client
    from core.cli.target import Here
    from core.model import Project

Json = dict[str, Any]

_CAUGHT_UP_S: Final = 0.3
"""The events so far come at once; a pause of this length means that the rest is yet to happen."""


def _unsaid(_: str) -> None:
    """Where nobody listens."""


@dataclass(frozen=True, slots=True)
class LiveVerbs:
    """The verbs as the commands carry them out, with the same checks and the same words."""

    client: Client
    target: Mapping[str, str]
    project: Project | None = None
    """As its files were when the dashboard was opened; None without files here."""
    engine: str = "auto"
    compose: ComposeOptions = field(default_factory=ComposeOptions)
    """Those that lead to the files of the project."""

    @property
    def variables(self) -> LiveVariables:
        """What is asked about variables."""
        return LiveVariables(self.client, self.target)

    @property
    def executions(self) -> LiveExecutions:
        """What is asked about jobs and crons."""
        return LiveExecutions(self.client, self.target)

    async def plan(
        self, trigger: Trigger, services: Sequence[str] = (), to: str | None = None
    ) -> Json:
        """What a run would do, with what is worth knowing of the files."""
        if trigger is Trigger.ROLLBACK:
            return await self.client.plan(self._rollback_body(services, to))
        here = await self._here(services)
        found = await self.client.plan(await self._deploy_body(here, trigger, services))
        return {**found, "notes": [asdict(each) for each in here.project.notes]}

    async def submit(
        self, trigger: Trigger, services: Sequence[str] = (), to: str | None = None
    ) -> Json:
        """Begins a run."""
        if trigger is Trigger.ROLLBACK:
            return await self.client.submit(self._rollback_body(services, to))
        here = await self._here(services)
        return await self.client.submit(await self._deploy_body(here, trigger, services))

    def _rollback_body(self, services: Sequence[str], to: str | None) -> Json:
        return rollback_body(self.target, services, to=to)

    async def _deploy_body(self, here: Here, trigger: Trigger, services: Sequence[str]) -> Json:
        body = deploy_body(
            here.project,
            trigger,
            here.options,
            environment=self.target["environment"],
            name=self.target["project"],
            services=services,
            engine=self.engine,
        )
        # The app shows what goes on; a line of progress would be in its way.
        return await with_source(self.client, body, here.project, here.options, _unsaid)

    async def _here(self, services: Sequence[str]) -> Here:
        """The project as its files are now: a person edits while the dashboard is open."""
        root, known = await self._files()
        options = replace(known, environ=dict(os.environ), services=tuple(services))
        # Checking everything takes longer than a frame.
        return await asyncio.to_thread(project_in, root, options)

    async def _files(self) -> tuple[Path, ComposeOptions]:
        """Where the files are: here, or where it was deployed from last."""
        if self.project:
            return self.project.root, self.compose
        if self.client.server is not None:
            raise UsageError(
                f"the files of {self.target['project']} are not here",
                hint="open the dashboard in their folder, or deploy on the server",
            )
        for each in await self.environments():
            is_ours = all(each[name] == value for name, value in self.target.items())
            if is_ours and each.get("root"):
                return Path(each["root"]), ComposeOptions(
                    tuple(each["files"]), tuple(each["envFiles"]), tuple(each["profiles"])
                )
        project = self.target["project"]
        raise UsageError(
            f"it is not known where the files of {project} are",
            hint=f"name their folder: compartment-tui FOLDER --project {project}",
        )

    async def promotion(self, source: str, target: str) -> Json:
        """What promoting an environment to another one would do."""
        return await self.client.plan(as_there(self.client, self._promote_body(source, target)))

    async def promote(self, source: str, target: str) -> Json:
        """Begins to promote an environment to another one."""
        return await self.client.submit(as_there(self.client, self._promote_body(source, target)))

    def _promote_body(self, source: str, target: str) -> Json:
        return promote_body(self.target["project"], source, target)

    async def hold(self, run_id: str) -> None:
        """Has a run wait before its switch."""
        await self.client.hold(run_id)

    async def resume(self, run_id: str) -> None:
        """Lets a held run go on."""
        await self.client.resume(run_id)

    async def cancel(self, run_id: str) -> Json:
        """Stops a run before its switch; returns the run as it ended."""
        await self.client.cancel(run_id)
        run: Json = (await self.client.run_result(run_id))["run"]
        return run

    async def runs(self, limit: int = 30) -> list[Json]:
        """The newest runs, newest first."""
        found: list[Json] = (await self.client.runs({**self.target, "limit": limit}))["runs"]
        return found

    async def run_result(self, run_id: str) -> Json:
        """A run with its deployments."""
        return await self.client.run_result(run_id)

    async def run_events(self, run_id: str) -> list[Json]:
        """The events of a run so far, oldest first."""
        found: list[Json] = []
        events = self.client.events(0, run_id)
        # Every run has one, however long the agent takes to look.
        async for event in events:
            found.append(event)
            break
        with suppress(TimeoutError):
            async with asyncio.timeout(_CAUGHT_UP_S) as patience:
                async for event in events:
                    found.append(event)
                    patience.reschedule(asyncio.get_running_loop().time() + _CAUGHT_UP_S)
        return found

    async def deployments(self, service: str | None = None, limit: int = 50) -> list[Json]:
        """The newest deployments, newest first."""
        query = {**self.target, "service": service, "limit": limit}
        found: list[Json] = (await self.client.history(query))["deployments"]
        return found

    async def inspect(self, deployment_id: str) -> Json:
        """Everything about one deployment."""
        found = await self.client.inspect({**self.target, "deployment": deployment_id})
        one: Json = found["deployments"][0]
        return one

    async def networks(self) -> Json:
        """Who reaches whom among what is active."""
        return await self.client.networks(self.target)

    async def environments(self) -> list[Json]:
        """The environments of all projects of this agent."""
        found: list[Json] = (await self.client.environments())["environments"]
        return found

    async def shell(self, service: str) -> Json:
        """How to open a shell in the live instance."""
        if self.client.server is not None:
            words = shell_there(self.client.server, {**self.target, "service": service})
            return {"argv": words, "cwd": None, "environment": dict(os.environ)}
        return await self.client.shell({**self.target, "service": service})
