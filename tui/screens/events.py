"""Everything that happened, the newest last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.screens.asking import Page
from tui.screens.listing import Rows
from tui.view import words
from tui.view.board import EVENTS_KEPT
from tui.view.happenings import Severity, line, severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult

    from tui.view.glyphs import Glyphs
    from tui.view.scene import Scene


_LEAST = {
    Severity.INFO: "all",
    Severity.WARNING: "warnings and failures",
    Severity.FAILURE: "failures",
}
_NONE = {
    Severity.INFO: "nothing has happened yet",
    Severity.WARNING: "no warnings and no failures",
    Severity.FAILURE: "no failures",
}
_MOST_NAME = 16
_MOST_ROWS = 2 * EVENTS_KEPT
"""Rows that are kept before those are dropped that the board has forgotten."""


class EventsScreen(Page):
    """Follows the newest event until the cursor leaves it, and says how many came since."""

    AUTO_FOCUS = "Rows"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("L", "severity", "all, warnings, failures"),
        Binding("f,G,end", "follow", "follow"),
    ]

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(glyphs)
        self._least = Severity.INFO
        self._scene: Scene | None = None
        self._newest = -1
        self._unread = 0

    def heading(self) -> str:
        """What is shown, and whether the newest is followed."""
        new = f"   {words.counted(self._unread, 'new event')}, f follows" if self._unread else ""
        return f"Events: {_LEAST[self._least]}{new}"

    def body(self) -> ComposeResult:
        """One row for each."""
        yield Rows(markup=False, compact=True, id="events")

    def on_mount(self) -> None:
        """Draws what was shown before it was mounted."""
        self._redraw()

    def show(self, scene: Scene) -> None:
        """Takes the events that are new."""
        self._scene = scene
        if self.is_mounted:
            self._draw(scene)

    def _draw(self, scene: Scene) -> None:
        new = [each for each in scene.events if _seq(each) > self._newest]
        if new:
            self._append(new)

    @property
    def is_following(self) -> bool:
        """Whether the cursor is on the newest one."""
        rows = self.query_one(Rows)
        return rows.option_count == 0 or rows.highlighted == rows.option_count - 1

    def _append(self, new: Sequence[Mapping[str, Any]]) -> None:
        rows, is_following = self.query_one(Rows), self.is_following
        self._newest = max(map(_seq, new))
        wanted = [each for each in new if severity(each) >= self._least]
        if not wanted:
            return
        rows.add_options(Option(self._line(each), id=str(_seq(each))) for each in wanted)
        self.say("")
        if is_following:
            self._trim(rows)
            self.action_follow()
        else:
            self._unread += len(wanted)
            self.retitle(self.heading())
            self._trim(rows)

    def _trim(self, rows: Rows) -> None:
        chosen = rows.highlighted_option
        if rows.option_count <= _MOST_ROWS or self._scene is None:
            return
        kept = {str(_seq(each)) for each in self._scene.events}
        options = [each for each in rows.options if each.id in kept]
        rows.set_options(options)
        rows.highlighted = options.index(chosen) if chosen in options else 0

    @on(OptionList.OptionHighlighted)
    def read(self) -> None:
        """The cursor is on the newest one again: it is followed."""
        if self._unread and self.is_following:
            self.action_follow()

    def _line(self, event: Mapping[str, Any]) -> Content:
        names = self._scene.state.services if self._scene else ()
        room = min(max((Content(each).cell_length for each in names), default=4), _MOST_NAME)
        return line(event, self.glyphs, room)

    def _redraw(self) -> None:
        """Draws every event that is wanted, from the beginning."""
        self._newest, self._unread = -1, 0
        self.query_one(Rows).clear_options()
        self.retitle(self.heading())
        if self._scene is not None:
            self._draw(self._scene)
        if not self.query_one(Rows).option_count:
            none = {
                Severity.WARNING: "no warnings and no failures",
                Severity.FAILURE: "no failures",
            }
            self.say(none.get(self._least, "nothing has happened yet"))

    def action_severity(self) -> None:
        """The next least severity."""
        self._least = Severity((self._least + 1) % len(Severity))
        self._redraw()

    def action_follow(self) -> None:
        """Back to the newest one, and on with it."""
        rows = self.query_one(Rows)
        rows.highlighted = rows.option_count - 1 if rows.option_count else None
        self._unread = 0
        self.retitle(self.heading())


def _seq(event: Mapping[str, Any]) -> int:
    return int(event.get("seq", 0))
