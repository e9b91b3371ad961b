"""The runs of the environment, and what each of them did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input, OptionList

from tui.keys import Scope, bindings, keys_of
from tui.screens.asking import Page
from tui.screens.diff import DiffScreen
from tui.screens.listing import Listing, Sheet
from tui.view import detail, history
from tui.view.timeline import timeline

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from tui.verbs import Verbs
    from tui.view.columns import Row
    from tui.view.glyphs import Glyphs
    from tui.view.scene import Scene

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The run under the cursor, as the agent tells of it."""

    result: Json
    events: list[Json]


class HistoryScreen(Page):
    """Runs above, the timeline of the chosen one and its deployments below."""

    AUTO_FOCUS = "#runs OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(keys_of(Scope.HISTORY)),
        Binding("slash", "filter", "filter"),
        Binding("tab", "app.focus_next", "next part", key_display="tab"),
    ]

    class RollBackTo(Message):
        """Asks the app to roll a service back to a deployment of its past."""

        def __init__(self, service: str, deployment: Json) -> None:
            """`deployment` as the agent tells of it."""
            super().__init__()
            self.service = service
            self.deployment = deployment

    def __init__(self, verbs: Verbs, glyphs: Glyphs, *, is_read_only: bool = False) -> None:
        super().__init__(glyphs)
        self._verbs = verbs
        self._is_read_only = is_read_only
        self._runs: list[Json] | None = None
        self._chosen: _Chosen | None = None
        self._asked_run: str | None = None
        self._scene: Scene | None = None

    def heading(self) -> str:
        """Where, and how many are shown."""
        place = self._scene.state.place if self._scene else None
        where = f"  {place.project} / {place.environment}" if place else ""
        return f"History{where}"

    def body(self) -> ComposeResult:
        """The filter, the runs, and the one that is chosen."""
        yield Input(placeholder="words: service, trigger, result, label", id="filter", compact=True)
        yield Listing(history.TITLES, self.glyphs.cut, history.GIVES_WAY, "runs")
        yield Sheet("timeline")
        titles, narrower = history.DEPLOYMENT_TITLES, history.DEPLOYMENT_GIVES_WAY
        yield Listing(titles, self.glyphs.cut, narrower, "deployments")

    def on_mount(self) -> None:
        """Asks for the runs after the first frame."""
        self.query_one("#filter").display = False
        self.call_after_refresh(self.reload)

    def reload(self) -> None:
        """Asks for the runs again: something was done."""
        self.ask(self._verbs.runs, self._take_runs, "runs")

    def show(self, scene: Scene) -> None:
        """Takes the time from the scene, and asks again when a run begins or ends."""
        before, self._scene = self._scene, scene
        if not self.is_mounted:
            return
        if before is None:
            self.retitle(self.heading())
        if before is not None and _run_key(before) != _run_key(scene):
            self.reload()
        else:
            self._draw_runs()
            self._draw_chosen()

    @property
    def _now(self) -> datetime:
        return self._scene.now if self._scene else datetime.now(UTC)

    def _take_runs(self, runs: list[Json]) -> None:
        self._runs = runs
        self._asked_run = None
        self._draw_runs()
        self._choose()

    def _draw_runs(self) -> None:
        if self._runs is None:
            return
        text = self.query_one("#filter", Input).value
        found = [each for each in self._runs if history.is_found(each, text)]
        rows = [(each["id"], history.run_row(each, self._now, self.glyphs)) for each in found]
        self.query_one("#runs", Listing).fill(rows)
        if not found:
            self._chosen = self._asked_run = None
            self._draw_chosen()
            self.say(f"no run has: {text}" if self._runs else "no run yet: D deploys")

    @on(OptionList.OptionHighlighted, "#runs OptionList")
    def _choose(self) -> None:
        run_id = self.query_one("#runs", Listing).chosen
        if run_id is not None and run_id != self._asked_run:
            self._asked_run = run_id
            self.ask(lambda: self._load(run_id), self._take_chosen, "run")

    async def _load(self, run_id: str) -> _Chosen:
        result = await self._verbs.run_result(run_id)
        return _Chosen(result, await self._verbs.run_events(run_id))

    def _take_chosen(self, chosen: _Chosen) -> None:
        self._chosen = chosen
        self._draw_chosen()

    @on(Sheet.Resized)
    def redraw(self) -> None:
        """Gives the bars the new room."""
        self._draw_chosen()

    def _draw_chosen(self) -> None:
        sheet, listing = self.query_one(Sheet), self.query_one("#deployments", Listing)
        if self._chosen is None:
            sheet.write([])
            listing.fill([])
            return
        run, found = self._chosen.result["run"], self._chosen.result["deployments"]
        course = timeline(run, self._chosen.events, self._now)
        sheet.write(
            [*history.title(run, self.glyphs), *history.chart(course, sheet.room, self.glyphs)]
        )
        listing.fill([self._row(each) for each in found])

    def _row(self, found: Json) -> tuple[str, Row]:
        outcome = detail.outcome(found, self.glyphs)
        return found["id"], history.deployment_row(found, outcome, self._now)

    def _deployment(self) -> Json | None:
        """The deployment under the cursor."""
        chosen = self.query_one("#deployments", Listing).chosen
        found = self._chosen.result["deployments"] if self._chosen else []
        return next((each for each in found if each["id"] == chosen), None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing is changed where only reading is wanted."""
        if action == "roll_back_to" and self._is_read_only:
            return False
        return super().check_action(action, parameters)

    def action_roll_back_to(self) -> None:
        """Asks the app to roll back to the deployment under the cursor."""
        found = self._deployment()
        if found is None:
            self.say("no deployment is chosen")
        elif not found.get("rollbackAvailable"):
            self.say(f"{found['id']} cannot be returned to: {_why_not(found)}")
        else:
            self.post_message(self.RollBackTo(found["serviceName"], found))

    def action_diff_with(self) -> None:
        """Shows what differs between the deployment under the cursor and the live one."""
        found = self._deployment()
        active = self._chosen.result.get("activeDeployments", ()) if self._chosen else ()
        if found is None:
            self.say("no deployment is chosen")
            return
        service = found["serviceName"]
        live = next((each["id"] for each in active if each["serviceName"] == service), None)
        if live is None:
            self.say(f"nothing of {service} is live to compare with")
        elif live == found["id"]:
            self.say(f"{live} is the live one: choose another one to compare with it")
        else:
            self.app.push_screen(DiffScreen(self._verbs, found["id"], live, self.glyphs))

    def action_filter(self) -> None:
        """Opens the filter."""
        box = self.query_one("#filter", Input)
        box.display = True
        box.focus()

    @on(Input.Changed, "#filter")
    def _filter(self) -> None:
        self.say("")
        self._draw_runs()

    @on(Input.Submitted, "#filter")
    def _keep_filter(self) -> None:
        self.query_one("#runs", Listing).rows.focus()

    def action_leave(self) -> None:
        """Clears the filter first."""
        box = self.query_one("#filter", Input)
        if not box.display:
            super().action_leave()
            return
        box.value = ""
        box.display = False
        self.query_one("#runs", Listing).rows.focus()


def _run_key(scene: Scene) -> tuple[str, str] | None:
    run = scene.state.run
    return (run.id, str(run.status)) if run else None


def _why_not(deployment: Json) -> str:
    if deployment.get("isActive"):
        return "it is live"
    if deployment.get("status") == "failed":
        return "it failed"
    if deployment.get("status") in ("queued", "running"):
        return "it is on its way"
    return "what it ran is not kept any more"
