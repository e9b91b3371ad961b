"""The environments, and switching to another one."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Input, OptionList

from tui.screens.asking import Dialog
from tui.screens.listing import Listing
from tui.screens.type_ahead import GuardedInput
from tui.view import places

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from tui.verbs import Verbs
    from tui.view.glyphs import Glyphs
    from tui.view.scene import Scene

Place = tuple[str, str]
Json = dict[str, Any]


class PromoteFrom(NamedTuple):
    """An environment that is to be promoted, not to be switched to."""

    project: str
    environment: str


class EnvironmentsScreen(Dialog[Place | PromoteFrom | None]):
    """Dismisses with the project and environment to switch to, or with one to promote."""

    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "switch", "switch to it", key_display="enter"),
        Binding("n", "name", "new environment"),
        Binding("P", "promote", "promote it", id="app.promote"),
    ]
    NONE_KNOWN = "no environment was deployed yet: n names one, D deploys it"

    def __init__(
        self,
        verbs: Verbs,
        current: Place,
        glyphs: Glyphs,
        clock: Callable[[], float] = time.monotonic,
        *,
        is_read_only: bool = False,
    ) -> None:
        super().__init__(glyphs, clock)
        self._verbs = verbs
        self._current = current
        self._is_read_only = is_read_only
        self._known: list[Json] = []
        self._scene: Scene | None = None

    def heading(self) -> str:
        """Where the dashboard is now."""
        return f"Environments: now {' / '.join(self._current)}"

    def body(self) -> ComposeResult:
        """The list, and where a new name is typed."""
        yield Listing(places.TITLES, self.glyphs.cut, places.GIVES_WAY, "environments")
        yield GuardedInput(self.type_ahead, placeholder="name of a new environment", id="name")

    def on_mount(self) -> None:
        """Asks for the list after the first frame."""
        super().on_mount()
        self.query_one("#name").display = False
        self.call_after_refresh(self._load)

    def _load(self) -> None:
        self.ask(self._verbs.environments, self._take, "environments")

    def show(self, scene: Scene) -> None:
        """Takes the time from the scene."""
        self._scene = scene
        if self.is_mounted and self._known:
            self._draw()

    def _draw(self) -> None:
        now = self._scene.now if self._scene else datetime.now(UTC)
        self.query_one(Listing).fill(
            [
                (str(at), places.row(each, now, self.glyphs, is_current=self._is_current(each)))
                for at, each in enumerate(self._known)
            ]
        )

    def _take(self, found: list[Json]) -> None:
        self._known = places.ordered(self._choices(found), self._current[0])
        self._draw()
        listing = self.query_one(Listing)
        at = next((at for at, each in enumerate(self._known) if self._is_current(each)), None)
        if at is not None:
            listing.rows.highlighted = at
        if not self._known:
            self.say(self.NONE_KNOWN)

    def _choices(self, found: list[Json]) -> list[Json]:
        """Those of all that can be chosen here."""
        return found

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing is promoted where only reading is wanted."""
        if action == "promote" and self._is_read_only:
            return False
        return super().check_action(action, parameters)

    def action_promote(self) -> None:
        """Leaves for a promotion of the environment under the cursor."""
        chosen = self.query_one(Listing).chosen
        each = self._known[int(chosen)] if chosen is not None else None
        if each is None or not each.get("services", {}).get("active"):
            self.say("nothing is live there to be promoted")
        elif each["project"] != self._current[0]:
            self.say(f"it is of another project: enter switches to {each['project']} first")
        else:
            self.dismiss(PromoteFrom(each["project"], each["environment"]))

    def _is_current(self, each: Json) -> bool:
        return (each["project"], each["environment"]) == self._current

    @on(OptionList.OptionSelected)
    def action_switch(self) -> None:
        """Switches to the environment under the cursor; to the one that is shown, only closes."""
        chosen = self.query_one(Listing).chosen
        if chosen is not None:
            each = self._known[int(chosen)]
            self.dismiss(None if self._is_current(each) else (each["project"], each["environment"]))

    def action_name(self) -> None:
        """Opens the input for a new name."""
        name = self.query_one("#name", Input)
        name.display = True
        name.focus()
        self.say(self.new_name_means())

    def new_name_means(self) -> str:
        """What becomes of a name that is not in the list."""
        return f"it opens as never deployed yet, in project {self._current[0]}; D deploys it"

    @on(Input.Submitted)
    def open_new(self, event: Input.Submitted) -> None:
        """Switches to the environment of that name, whether it exists or not."""
        name = event.value.strip()
        refusal = self.refusal(name)
        if refusal:
            self.say(refusal)
        else:
            self.dismiss((self._current[0], name))

    def refusal(self, name: str) -> str | None:
        """Why a name cannot be chosen; None if it can."""
        return places.refusal(name)

    def action_leave(self) -> None:
        """Leaves the input first."""
        name = self.query_one("#name", Input)
        if not name.has_focus:
            super().action_leave()
            return
        name.value = ""
        name.display = False
        self.say("")
        self.query_one(Listing).rows.focus()
