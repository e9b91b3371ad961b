"""The three log panes, beside each other or as tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.containers import Horizontal
from textual.content import Content

from tui.view import looks
from tui.view.pieces import MUTED
from tui.widgets.log_pane import LogPane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from tui.view.glyphs import Glyphs
    from tui.view.pieces import Piece

FIRST_NUMBER = 2
"""The number of the first log pane; the services are 1."""

_TITLE_STARTS = 2
"""Column in which the border has the first cell of its title."""


class LogArea(Horizontal):
    """Where there is room for one pane only, its border has the titles of the other two as well.

    Panes that are linked go to the same second, and follow together.
    """

    def __init__(self, glyphs: Glyphs, panes: Sequence[LogPane]) -> None:
        super().__init__(id="logs")
        self.glyphs = glyphs
        self._panes = panes
        self._tabs: list[tuple[int, int, LogPane]] = []
        self._shown: tuple[Content, Content] | None = None
        self.has_tabs = False
        """Whether there is room for one pane only, so that the border is seen."""
        self.current = panes[0]
        self.add_class(f"-on-{self.current.id}")

    def choose(self, pane: LogPane) -> None:
        """The pane that is shown where there is room for one only."""
        if pane is self.current:
            return
        self.remove_class(f"-on-{self.current.id}")
        self.current = pane
        self.add_class(f"-on-{pane.id}")
        self.draw_tabs()

    def draw_tabs(self) -> None:
        """Writes what the pane has in its border, and how much is new in the others."""
        if not self.has_tabs:
            return
        tabs = [
            (pane, Content.assemble("(", *_tab(number, pane), ")"))
            for number, pane in enumerate(self._panes, start=FIRST_NUMBER)
            if pane is not self.current
        ]
        room = self.outer_size.width - 6 - sum(tab.cell_length + 2 for _, tab in tabs)
        title = _cut(Content.from_markup(self.current.border_title or ""), room, self.glyphs)
        self._tabs = []
        for pane, tab in tabs:
            title = Content.assemble(title, "  ")
            start = _TITLE_STARTS + title.cell_length
            self._tabs.append((start, start + tab.cell_length, pane))
            title = Content.assemble(title, tab)
        subtitle = Content.from_markup(self.current.border_subtitle or "")
        if (title, subtitle) != self._shown:
            self._shown = (title, subtitle)
            self.border_title, self.border_subtitle = title, subtitle

    @on(LogPane.LinkTurned)
    def _turn_link(self, event: LogPane.LinkTurned) -> None:
        """All panes are linked, or none; what is chosen already is gone to at once."""
        is_linked = not event.pane.is_linked
        for pane in self._panes:
            pane.is_linked = is_linked
            pane.draw_frame()
        if event.pane.viewport.is_following:
            self.draw_tabs()
        else:
            event.pane.tell_place()

    @on(LogPane.Went)
    def _go_along(self, event: LogPane.Went) -> None:
        """The border tells of it; the other panes go to the same second, if they are linked."""
        self.draw_tabs()
        leader = event.pane.viewport
        chosen = leader.chosen
        if chosen is None or not event.pane.is_linked:
            return
        second = None if leader.is_following else chosen.record.at[:19]
        for pane in self._panes:
            if pane is not event.pane:
                pane.go_along(second)

    def on_click(self, event: events.Click) -> None:
        """A click on a tab goes to its pane."""
        offset = event.screen_offset - self.region.offset
        for start, end, pane in self._tabs:
            if offset.y == 0 and start <= offset.x < end:
                self.choose(pane)
                pane.focus()


def _tab(number: int, pane: LogPane) -> list[Piece]:
    pieces: list[Piece] = [(f"{number} {pane.id}", MUTED)]
    if pane.unseen:
        pieces.append((f" *{pane.unseen}", ""))
    if pane.errors_unseen:
        pieces.append((f" !{pane.errors_unseen}", looks.FAILED))
    return pieces


def _cut(title: Content, room: int, glyphs: Glyphs) -> Content:
    if title.cell_length <= room:
        return title
    return title.truncate(max(room - len(glyphs.cut), 0)) + glyphs.cut
