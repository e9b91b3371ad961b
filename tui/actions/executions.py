"""Keys that run a job or cron now, or end what it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import CompartmentError
from tui.view.execution import Execution
from tui.view.execution_words import running_for, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.app import DashboardApp
    from tui.view.state import Service


class ExecutionActions:
    """Both ask first: what a job does is seldom without an effect."""

    def __init__(self, app: DashboardApp) -> None:
        self._app = app

    async def start(self, service: Service) -> None:
        """Runs a job or cron now."""
        if not self._can_run(service):
            return
        details = ["It runs once more, with the variables of its deployment."]
        found = service.executions
        if found is not None and found.last is not None:
            details.append(f"last   {whole(found.last, self._app.now())}")
        if found is not None and found.running:
            details.append(f"It runs already: {found.running} at this moment.")
        if not await self._confirmed(f"Run {service.name} now?", details, "run it"):
            return
        try:
            begun = await self._app.verbs.executions.start(service.name)
        except CompartmentError as error:
            self._app.tell(error)
        else:
            self._app.say(f"{service.name} runs: {begun['id']}")

    async def end(self, service: Service) -> None:
        """Ends the newest execution that runs."""
        if not self._can_run(service):
            return
        try:
            recent = await self._app.verbs.executions.recent(service.name)
        except CompartmentError as error:
            self._app.tell(error)
            return
        running = [each for each in map(Execution.read, recent) if each.is_running]
        if not running:
            self._app.warn(f"{service.name} does not run at this moment")
            return
        newest = running[0]
        details = [
            f"{newest.id} has been running for {running_for(newest, self._app.now())}.",
            "It is asked to end, and killed if it does not.",
        ]
        if await self._confirmed(f"End what {service.name} runs?", details, "end it"):
            try:
                await self._app.verbs.executions.cancel(newest.id)
            except CompartmentError as error:
                self._app.tell(error)

    def _can_run(self, service: Service) -> bool:
        if service.kind.is_long_running:
            self._app.warn(f"{service.name} is a {service.kind}: only jobs and crons are run")
        elif service.live is None:
            self._app.warn(f"{service.name} is not live: deploy it first")
        else:
            return True
        return False

    async def _confirmed(self, question: str, details: Sequence[str], yes: str) -> bool:
        from tui.screens.confirm import ConfirmScreen

        screen = ConfirmScreen(question, details, yes, "leave it", glyphs=self._app.glyphs)
        return await self._app.push_screen_wait(screen)
