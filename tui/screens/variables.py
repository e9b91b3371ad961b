"""The variables of an environment and its services, and changing them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.widgets import OptionList

from core.errors import CompartmentError
from core.events import EventType
from tui.keys import Scope, bindings, keys_of
from tui.screens.asking import Page
from tui.screens.confirm import ConfirmScreen
from tui.screens.import_variables import ImportScreen
from tui.screens.listing import Listing
from tui.screens.variable import VariableScreen
from tui.view import variables as view
from tui.view import words

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from tui.verbs import Verbs
    from tui.view.glyphs import Glyphs
    from tui.view.scene import Scene
    from tui.view.variables import Variable

Json = dict[str, Any]

_CHANGING = frozenset(key.action for key in keys_of(Scope.VARIABLES) if key.changes)


class VariablesScreen(Page):
    """What is set, for whom, and whether what is live has it already."""

    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = bindings(keys_of(Scope.VARIABLES))

    def __init__(self, verbs: Verbs, glyphs: Glyphs, *, is_read_only: bool = False) -> None:
        super().__init__(glyphs)
        self._verbs = verbs
        self._is_read_only = is_read_only
        self._found: list[Variable] | None = None
        self._scene: Scene | None = None

    def heading(self) -> str:
        """Where."""
        place = self._scene.state.place if self._scene else None
        where = f"  {place.project} / {place.environment}" if place else ""
        return f"Variables{where}"

    def body(self) -> ComposeResult:
        """One row each."""
        yield Listing(view.TITLES, self.glyphs.cut, view.GIVES_WAY, "variables")

    def on_mount(self) -> None:
        """Asks after the first frame."""
        self.call_after_refresh(self.reload)

    def reload(self) -> None:
        """Asks for them again: something was changed."""
        self.ask(self._verbs.variables.found, self._take, "variables")

    def show(self, scene: Scene) -> None:
        """Follows what becomes live, and what others change."""
        before, self._scene = self._scene, scene
        if not self.is_mounted:
            return
        if before is None:
            self.retitle(self.heading())
        if before is not None and _last_change(before) != _last_change(scene):
            self.reload()
        else:
            self._draw()

    def _take(self, found: list[Json]) -> None:
        self._found = view.ordered(map(view.Variable.read, found))
        self._draw()

    def _draw(self) -> None:
        if self._found is None:
            return
        now = self._scene.now if self._scene else datetime.now(UTC)
        stand = view.standings(self._found, self._scene.state.services if self._scene else {})
        rows = [
            (each.key, view.row(each, stand[each.key], now, self.glyphs)) for each in self._found
        ]
        pending = sum(each is view.Standing.PENDING for each in stand.values())
        self.query_one(Listing).fill(rows)
        if not rows:
            press = "" if self._is_read_only else ": a sets one, i imports a .env file"
            self.say(f"no variable is set here{press}")
        elif pending:
            held = "holds" if pending == 1 else "hold"
            press = "" if self._is_read_only else ": D deploys"
            self.say(f"{words.counted(pending, 'variable')} {held} from the next deploy on{press}")
        else:
            self.say("")

    @property
    def _services(self) -> Sequence[str]:
        return list(self._scene.state.services) if self._scene else []

    @property
    def _chosen(self) -> Variable | None:
        """The one under the cursor."""
        chosen = self.query_one(Listing).chosen
        return next((each for each in self._found or () if each.key == chosen), None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing is changed where only reading is wanted."""
        if action in _CHANGING and self._is_read_only:
            return False
        return super().check_action(action, parameters)

    @on(OptionList.OptionSelected)
    def _edit_chosen(self) -> None:
        if self.check_action("edit_variable", ()):
            self.action_edit_variable()

    @work(group="conversation", exclusive=True)
    async def action_add_variable(self) -> None:
        """Sets another one."""
        screen = VariableScreen(self._verbs, self._services, self.glyphs)
        if await self.app.push_screen_wait(screen):
            self.reload()

    @work(group="conversation", exclusive=True)
    async def action_edit_variable(self) -> None:
        """Gives the one under the cursor another value."""
        chosen = self._chosen
        if chosen is None:
            return
        screen = VariableScreen(self._verbs, self._services, self.glyphs, changing=chosen)
        if await self.app.push_screen_wait(screen):
            self.reload()

    @work(group="conversation", exclusive=True)
    async def action_import_variables(self) -> None:
        """Sets those of a file."""
        root = self._scene.state.place.root if self._scene else ""
        folder = Path(root or Path.cwd())
        screen = ImportScreen(self._verbs, self._services, self.glyphs, folder=folder)
        if await self.app.push_screen_wait(screen):
            self.reload()

    @work(group="conversation", exclusive=True)
    async def action_remove_variable(self) -> None:
        """Removes the one under the cursor."""
        chosen = self._chosen
        if chosen is None:
            return
        details = [f"It is set for {chosen.whose}.", _LIVE_KEEPS]
        if await self._confirmed(f"Remove {chosen.name}?", details, "remove it"):
            await self._change(self._verbs.variables.remove(chosen.name, chosen.service))

    @work(group="conversation", exclusive=True)
    async def action_mark_sensitive(self) -> None:
        """Hides the value of the one under the cursor for good."""
        chosen = self._chosen
        if chosen is None:
            return
        if chosen.value is None:
            self.say(f"{chosen.name} is sensitive already")
            return
        details = [
            "Its value is never shown again, and masked in every log.",
            "That holds until it is removed. Logs that are written already stay as they are.",
        ]
        if await self._confirmed(f"Mark {chosen.name} as sensitive?", details, "mark it"):
            change = self._verbs.variables.set(
                chosen.name, chosen.value, chosen.service, is_sensitive=True
            )
            await self._change(change)

    async def _confirmed(self, question: str, details: Sequence[str], yes: str) -> bool:
        screen = ConfirmScreen(question, details, yes, "leave it", glyphs=self.glyphs)
        return await self.app.push_screen_wait(screen)

    async def _change(self, change: Awaitable[None]) -> None:
        try:
            await change
        except CompartmentError as error:
            self.say_error(error)
        else:
            self.reload()


_LIVE_KEEPS = "What is live keeps it until its next deploy."


def _last_change(scene: Scene) -> tuple[object, ...]:
    """What a list of variables can differ by."""
    changed = (each["seq"] for each in reversed(scene.events)
               if each["type"] == EventType.VARIABLES_CHANGED)  # fmt: skip
    return next(changed, None), scene.state.link.is_up
