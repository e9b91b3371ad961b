"""Keys that begin, change or end a run. The run is the agent's; nothing here waits for it.

Every dialog is imported where it is opened: the first frame would wait for all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import CompartmentError
from core.model import Trigger
from tui.view.progress import is_past_switch
from tui.view.words import ago, stands_aside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.app import DashboardApp
    from tui.view.state import Deployment, Service

PRODUCTION = "production"
"""Where a wide rollback asks for the environment's name to be typed."""


class RunActions:
    """What begins, changes or ends a run: each asks first, by how much it can hurt."""

    def __init__(self, app: DashboardApp) -> None:
        self._app = app

    async def deploy(self) -> None:
        """Deploys what changed, after its plan."""
        await self._planned(Trigger.DEPLOY)

    async def redeploy_all(self) -> None:
        """Replaces every service, after its plan."""
        await self._planned(Trigger.REDEPLOY)

    async def rollback_all(self) -> None:
        """Rolls every service back, after its plan."""
        is_production = self._app.board.state.place.environment == PRODUCTION
        await self._planned(Trigger.ROLLBACK, needs_typed_name=is_production)

    async def promote(self, source: str) -> None:
        """Promotes an environment of this project to another one, and follows the run there."""
        from tui.screens.plan import PlanScreen
        from tui.screens.promote import PromoteScreen

        place, verbs, glyphs = self._app.board.state.place, self._app.verbs, self._app.glyphs
        screen = PromoteScreen(verbs, (place.project, source), glyphs)
        chosen = await self._app.push_screen_wait(screen)
        if chosen is None:
            return
        target = chosen[1]
        plan = PlanScreen(
            lambda: verbs.promotion(source, target),
            Trigger.PROMOTE,
            glyphs,
            environment=target,
            source=source,
            needs_typed_name=target == PRODUCTION,
        )
        if not await self._app.push_screen_wait(plan):
            return
        try:
            run = await verbs.promote(source, target)
        except CompartmentError as error:
            self._app.tell(error)
            return
        if target != place.environment:
            told = f"run {run['id']} promotes {source} to {target}: this is {target} now"
            self._app.switch_environment(place.project, target, told)

    async def _planned(self, trigger: Trigger, *, needs_typed_name: bool = False) -> None:
        from tui.screens.plan import PlanScreen

        screen = PlanScreen(
            lambda: self._app.verbs.plan(trigger),
            trigger,
            self._app.glyphs,
            environment=self._app.board.state.place.environment,
            needs_typed_name=needs_typed_name,
        )
        if await self._app.push_screen_wait(screen):
            await self._submit(trigger)

    async def redeploy(self, service: Service) -> None:
        """Replaces one service."""
        live = service.live
        is_first = live is None
        details = [
            "Nothing of it is live yet."
            if is_first
            else "The live one serves until the new one is ready, and finishes what it has.",
            *self._ahead(),
        ]
        if await self._confirmed(f"Redeploy {service.name}?", details, "redeploy"):
            await self._submit(Trigger.REDEPLOY, [service.name])

    async def rollback(self, service: Service) -> None:
        """Rolls one service back to its previous deployment."""
        previous = service.previous
        if service.live is None:
            self._app.warn(f"{service.name} is not live: there is nothing to roll back")
        elif previous is None:
            self._app.warn(f"{service.name} has no earlier deployment to roll back to")
        else:
            await self.roll_back_to(service, previous)

    async def roll_back_to(
        self, service: Service, deployment: Deployment, *, is_named: bool = False
    ) -> None:
        """Rolls one service back; `is_named` when a person chose the deployment."""
        details = [
            f"from  {self._described(service.live)}",
            f"to    {self._described(deployment)}",
            "It is started and checked first; no build.",
            *self._ahead(),
        ]
        if await self._confirmed(f"Roll {service.name} back?", details, "roll back"):
            to = deployment.id if is_named else None
            await self._submit(Trigger.ROLLBACK, [service.name], to)

    def _described(self, deployment: Deployment | None) -> str:
        if deployment is None:
            return "nothing"
        label = f"  “{deployment.label}”" if deployment.label else ""
        if self._app.glyphs.is_ascii:
            label = label.replace("“", '"').replace("”", '"')
        return f"{deployment.id}  {ago(deployment.created_at, self._app.now())}{label}"

    def _ahead(self) -> list[str]:
        run = self._app.board.state.run
        if run is None or run.status.is_final:
            return []
        return [f"It waits its turn: {run.trigger} {run.id} is ahead."]

    async def _confirmed(self, question: str, details: Sequence[str], yes: str) -> bool:
        from tui.screens.confirm import ConfirmScreen

        screen = ConfirmScreen(question, details, yes, "keep as it is", glyphs=self._app.glyphs)
        return await self._app.push_screen_wait(screen)

    async def _submit(
        self, trigger: Trigger, services: Sequence[str] = (), to: str | None = None
    ) -> None:
        try:
            await self._app.verbs.submit(trigger, services, to)
        except CompartmentError as error:
            self._app.tell(error)

    async def hold(self) -> None:
        """Holds the run before its switch; one that is held goes on."""
        state, verbs = self._app.board.state, self._app.verbs
        run = state.run
        if run is None or run.status.is_final:
            self._app.warn("no run is going on")
        elif is_past_switch(state):
            self._app.warn(f"{run.trigger} {run.id} is past the switch: it cannot be held any more")
        else:
            try:
                await (verbs.resume(run.id) if run.is_held else verbs.hold(run.id))
            except CompartmentError as error:
                self._app.tell(error)

    async def cancel(self) -> None:
        """Stops the run before its switch."""
        state = self._app.board.state
        run = state.run
        if run is None or run.status.is_final:
            self._app.warn("no run is going on")
            return
        if is_past_switch(state):
            self._app.warn(
                f"{run.trigger} {run.id} is past the switch and goes on to its end;"
                " roll back when it is done"
            )
            return
        details = ["Nothing is switched: what is live stays as it is."]
        lives = [each.live for each in state.services.values() if each.live]
        if any(map(stands_aside, lives)):
            details.append("What stands aside for its successor is started again.")
        if await self._confirmed(f"Cancel {run.trigger} {run.id}?", details, "cancel it"):
            await self._cancel(run.id)

    async def _cancel(self, run_id: str) -> None:
        try:
            await self._app.verbs.cancel(run_id)
        except CompartmentError as error:
            self._app.tell(error)

    async def quit(self) -> None:
        """Leaves; during a run it asks what is to become of it."""
        state = self._app.board.state
        if state.run is None or not state.is_busy or not state.link.is_up:
            self._app.exit()
            return
        from tui.screens.quit import QuitChoice, QuitScreen

        choice = await self._app.push_screen_wait(QuitScreen(self._app.glyphs))
        if choice is QuitChoice.LEAVE:
            self._app.exit()
        elif choice is QuitChoice.WAIT:
            self._app.quits_when_idle = True
        elif choice is QuitChoice.CANCEL:
            self._app.quits_when_idle = True
            await self._cancel(state.run.id)
