"""The dashboard: what each key of the table does."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from tui.actions.executions import ExecutionActions
from tui.actions.look import LookActions
from tui.actions.runs import RunActions
from tui.base import BoardApp
from tui.going import Going
from tui.keys import KEYS, Key, Scope, bindings, keys_of
from tui.logs.times import TimeMode
from tui.screens.palette import (
    EnvironmentCommands,
    ServiceCommands,
    ThemeCommands,
    VerbCommands,
)
from tui.view.state import Deployment
from tui.widgets.log_pane import LogPane
from tui.widgets.services_table import ServicesTable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from textual.binding import BindingType

    from tui.screens.history import HistoryScreen
    from tui.screens.main import MainScreen
    from tui.view.state import Service
    from tui.widgets.history_pane import HistoryPane

_CHANGING = frozenset(key.action.partition("(")[0] for key in KEYS if key.changes)


class DashboardApp(BoardApp):
    """The app of one environment."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(keys_of(Scope.ACTIONS, Scope.GLOBAL))
    COMMANDS: ClassVar = {VerbCommands, ServiceCommands, ThemeCommands, EnvironmentCommands}

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self._runs = RunActions(self)
        self._look = LookActions(self)
        self._executions = ExecutionActions(self)
        self.is_handed_over = False
        """Whether another program has the terminal now, and with it its signals."""

    def on_mount(self) -> None:
        """Begins where the last one ended."""
        self.call_after_refresh(self._recall)

    @property
    def keys(self) -> list[Key]:
        """The keys that do something here."""
        return keys_of(*Scope, is_read_only=self.options.is_read_only)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What changes anything does not exist in a read-only dashboard."""
        if self.options.is_read_only and action in _CHANGING:
            return False
        if action in ("cancel", "hold") and not self.board.state.is_busy:
            return False
        return super().check_action(action, parameters)

    @contextmanager
    def handed_over(self) -> Iterator[None]:
        """The terminal belongs to another program for the length of a block."""
        with self.suspend():
            self.is_handed_over = True
            try:
                yield
            finally:
                self.is_handed_over = False

    def _begin(self, work: Coroutine[Any, Any, None], group: str = "conversation") -> None:
        """Starts what waits for the person, unless something does already.

        A second press while the agent answers must neither ask twice nor undo the first.
        """
        is_busy = any(each.group == group and not each.is_finished for each in self.workers)
        if is_busy:
            work.close()
        else:
            self.run_worker(work, group=group)

    def _on_service(self, use: Callable[[Service], object], name: str | None = None) -> None:
        found = self.board.state.services.get(name) if name else self.service
        if found is None:
            self.warn(f"there is no service {name}" if name else "no service is selected")
        else:
            use(found)

    # Runs

    def action_deploy(self) -> None:
        """Deploys what changed."""
        self._begin(self._runs.deploy())

    def action_redeploy(self) -> None:
        """Replaces the selected service."""
        self._on_service(lambda service: self._begin(self._runs.redeploy(service)))

    def action_redeploy_all(self) -> None:
        """Replaces every service."""
        self._begin(self._runs.redeploy_all())

    def action_rollback(self) -> None:
        """Rolls the selected service back."""
        self._on_service(lambda service: self._begin(self._runs.rollback(service)))

    def action_rollback_all(self) -> None:
        """Rolls every service back."""
        self._begin(self._runs.rollback_all())

    def action_promote(self) -> None:
        """Promotes this environment to another one."""
        self._begin(self._runs.promote(self.board.state.place.environment))

    def action_hold(self) -> None:
        """Holds the run before its switch, or lets it go on."""
        self._begin(self._runs.hold(), "hold")

    def action_execute(self) -> None:
        """Runs the selected job or cron."""
        self._on_service(lambda service: self._begin(self._executions.start(service)))

    def action_end_execution(self) -> None:
        """Ends what the selected job or cron runs."""
        self._on_service(lambda service: self._begin(self._executions.end(service)))

    def action_cancel(self) -> None:
        """Cancels the run."""
        self._begin(self._runs.cancel())

    def action_quit_or_ask(self) -> None:
        """Leaves; an agent that does not answer must not hold anybody."""
        self._begin(self._runs.quit(), "quit")

    def redeploy_service(self, name: str) -> None:
        """The same as the key, for a service by name: for the palette."""
        self._on_service(lambda service: self._begin(self._runs.redeploy(service)), name)

    def run_service_now(self, name: str) -> None:
        """The same as the key, for a job or cron by name."""
        self._on_service(lambda service: self._begin(self._executions.start(service)), name)

    def roll_back_service(self, name: str) -> None:
        """The same as the key, for a service by name."""
        self._on_service(lambda service: self._begin(self._runs.rollback(service)), name)

    def on_history_screen_roll_back_to(self, event: HistoryScreen.RollBackTo) -> None:
        """A person chose the deployment."""

        def use(service: Service) -> None:
            chosen = Deployment.read(event.deployment)
            self._begin(self._runs.roll_back_to(service, chosen, is_named=True))

        self._on_service(use, event.service)

    # Looks

    def action_open_service(self) -> None:
        """Everything about the selected service."""
        self._on_service(self._look.service)

    def action_history(self) -> None:
        """Runs and deployments."""
        self._look.history()

    def action_diff(self) -> None:
        """What a rollback of the selected service would change."""
        self._on_service(self._look.diff)

    def action_routes(self) -> None:
        """The route rules with their tester."""
        self._look.routes()

    def action_networks(self) -> None:
        """The networks, and who reaches whom."""
        self._look.networks()

    def action_events(self) -> None:
        """Everything that happened."""
        self._look.events()

    def action_environments(self) -> None:
        """Chooses another environment."""
        self._begin(self._environments())

    async def _environments(self) -> None:
        source = await self._look.environments()
        if source is not None:
            await self._runs.promote(source)

    def action_help(self) -> None:
        """All keys, those of the focused pane first."""
        is_log = isinstance(self.focused, LogPane)
        is_table = isinstance(self.focused, ServicesTable)
        self._look.help(Scope.LOGS if is_log else Scope.SERVICES if is_table else None)

    def action_theme(self) -> None:
        """Chooses a theme."""
        self._begin(self._look.theme())

    def use_theme(self, name: str) -> None:
        """Takes a theme, now and at the next start."""
        self.theme = name
        self.remember("theme", name)

    def switch_environment(self, project: str, environment: str, told: str = "") -> None:
        """Leaves for another environment, where it is told why."""
        self.exit(Going(project, environment, told))

    def action_variables(self) -> None:
        """The variables of the environment and its services."""
        self._look.variables()

    def action_open(self) -> None:
        """Opens the URL of the selected service."""
        self._on_service(lambda service: self._begin(self._look.open_url(service)))

    def action_shell(self) -> None:
        """A shell beside the selected service."""
        self._on_service(lambda service: self._begin(self._look.shell(service)))

    def action_edit(self) -> None:
        """Edits the project file."""
        self._begin(self._look.edit())

    def open_service_url(self, name: str) -> None:
        """The same as the key, for a service by name."""
        self._on_service(lambda service: self._begin(self._look.open_url(service)), name)

    def open_shell(self, name: str) -> None:
        """The same as the key, for a service by name."""
        self._on_service(lambda service: self._begin(self._look.shell(service)), name)

    def action_only(self) -> None:
        """Only the selected service in the log panes; again for all."""
        self.show_only(None if self.only else self.selected)

    def show_only(self, name: str | None) -> None:
        """Only one service in the log panes; None for all."""
        self.only = name

    def action_mouse(self) -> None:
        """Lends the mouse to the terminal, or takes it back."""
        self.mouse.turn()
        self.show_present()

    def action_picture(self) -> None:
        """Saves what is on the screen."""
        self._look.picture()

    # Panes

    def action_pane(self, number: int) -> None:
        """Goes to a pane by its number."""
        self.main.focus_pane(number)

    def action_next_pane(self, step: int) -> None:
        """Goes to a neighbouring pane."""
        self.main.next_pane(step)

    def action_zoom(self) -> None:
        """Gives the focused pane the whole screen, or takes it back."""
        if self.screen.maximized is not None:
            self.screen.minimize()
        elif self.focused is not None:
            self.screen.maximize(self.focused)

    def action_detail(self) -> None:
        """Hides or shows the detail."""
        self.main.toggle_detail()

    def action_split(self, step: int) -> None:
        """Moves the line between services and logs."""
        self.main.change_split(step)

    def action_redraw(self) -> None:
        """Draws everything again, after something else wrote to the terminal."""
        self.screen.refresh(repaint=True, layout=True)

    async def action_back(self) -> None:
        """One step back: from one service to all of them, then to the services."""
        if self.only is not None:
            self.only = None
        else:
            self.main.focus_pane(1)

    def remember(self, name: str, value: object) -> None:
        """Keeps a choice for the next start."""
        if reason := self.choices.set(name, value):
            self.warn(reason)

    def _recall(self) -> None:
        """Arranges everything as it was left."""
        self.main.services.sorted_by = self.choices.sort
        self.main.splits = dict(self.choices.splits)
        self.main.show_detail(is_hidden=self.choices.is_detail_hidden)
        for pane in self.main.log_panes:
            pane.use_look(TimeMode(self.choices.time), is_wrapped=self.choices.is_wrapped)

    def on_services_table_sorted(self, event: ServicesTable.Sorted) -> None:
        """The order of the services is kept."""
        self.remember("sort", event.by)

    def on_main_screen_arranged(self, _: MainScreen.Arranged) -> None:
        """The split of each size, and the detail, are kept."""
        self.remember("splits", dict(self.main.splits))
        self.remember("is_detail_hidden", self.main.is_detail_hidden)

    def on_log_pane_look_changed(self, event: LogPane.LookChanged) -> None:
        """The next start shows lines as a person did last."""
        self.remember("time", event.times.value)
        self.remember("is_wrapped", event.is_wrapped)

    def on_services_table_selected(self, event: ServicesTable.Selected) -> None:
        """The cursor is on another service."""
        self.selected = event.name

    def on_services_table_opened(self, event: ServicesTable.Opened) -> None:
        """A service was opened."""
        self._on_service(self._look.service, event.name)

    def on_history_pane_opened(self, _: HistoryPane.Opened) -> None:
        """A run was opened."""
        self._look.history()
