"""Choosing a theme, with each one tried on the screen as the cursor comes to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.screens.asking import Dialog
from tui.screens.listing import Rows
from tui.view.glyphs import UNICODE, Glyphs

if TYPE_CHECKING:
    from textual.app import ComposeResult

OURS = "compartment-"


class ThemeScreen(Dialog[str | None]):
    """Dismisses with the chosen theme; without one, the theme from before is back."""

    AUTO_FOCUS = "OptionList"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "use", "use it", key_display="enter"),
    ]

    def __init__(self, current: str, glyphs: Glyphs = UNICODE) -> None:
        super().__init__(glyphs)
        self._current = current

    def heading(self) -> str:
        """The title."""
        return "Theme"

    def body(self) -> ComposeResult:
        """Our own themes first."""
        names = sorted(
            self.app.available_themes, key=lambda each: (not each.startswith(OURS), each)
        )
        yield Rows(*(Option(each, id=each) for each in names), markup=False, compact=True)

    def on_mount(self) -> None:
        """The cursor begins on the theme that is used."""
        super().on_mount()
        rows = self.query_one(Rows)
        ids = [each.id for each in rows.options]
        rows.highlighted = ids.index(self._current) if self._current in ids else 0

    @on(OptionList.OptionHighlighted)
    def try_on(self, event: OptionList.OptionHighlighted) -> None:
        """Shows what it looks like."""
        if event.option_id is not None:
            self.app.theme = event.option_id

    @on(OptionList.OptionSelected)
    def action_use(self) -> None:
        """Takes the theme under the cursor."""
        chosen = self.query_one(Rows).highlighted_option
        self.dismiss(chosen.id if chosen else None)

    def action_leave(self) -> None:
        """The theme from before."""
        self.app.theme = self._current
        self.dismiss(None)
