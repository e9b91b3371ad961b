"""One of the three log panes: what its keys do, and what its frame says."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.message import Message

from core.lines import stamp
from core.model import Stream
from tui.keys import Scope, bindings, keys_of
from tui.logs.times import TimeMode, moment
from tui.widgets import log_words
from tui.widgets.log_lines import SERVICE_WIDTH, Ink, LineLook
from tui.widgets.log_taking import LogTaking

if TYPE_CHECKING:
    from datetime import datetime

    from textual.binding import BindingType

    from tui.logs.store import LogStore
    from tui.view.glyphs import Glyphs
    from tui.view.scene import Scene

_FRAME_EVERY = 5
"""Ticks between two looks at scroll bar and counts: they may lag, unlike the lines."""


class LogPane(LogTaking, can_focus=True):
    """Shows one stream: follows it, or stands still, alone or together with the other panes."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(keys_of(Scope.LOGS))

    class LookChanged(Message):
        """A person has chosen another way to show lines."""

        def __init__(self, times: TimeMode, *, is_wrapped: bool) -> None:
            self.times = times
            self.is_wrapped = is_wrapped
            super().__init__()

    class Went(Message):
        """A person has gone to another place."""

        def __init__(self, pane: LogPane) -> None:
            self.pane = pane
            super().__init__()

    class LinkTurned(Message):
        """A person wants the other panes to go along, or no longer."""

        def __init__(self, pane: LogPane) -> None:
            self.pane = pane
            super().__init__()

    def __init__(
        self,
        stream: Stream,
        store: LogStore,
        glyphs: Glyphs,
        *,
        number: int,
        id: str,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(stream, store, glyphs, id=id)
        self.is_linked = False
        """Whether the other panes go where this one goes."""
        self._number = number
        self._time = TimeMode.CLOCK
        self._is_wrapped = False
        self._skip = 0
        self._service_width = SERVICE_WIDTH
        self._live_ids: frozenset[str] | None = None
        self._ticks = 0
        self._reason = ""
        self._flushed = (0, 0)

    # What the app calls

    def show(self, scene: Scene) -> None:
        """Takes the present: which services there are, what is live, whose lines are wanted."""
        self._scene = scene
        services = scene.state.services
        longest = max(map(cell_len, services), default=SERVICE_WIDTH)
        width, live_ids = min(longest, SERVICE_WIDTH), self._live_ids
        if self.stream is not Stream.COMPARTMENT:
            live = (service.live for service in services.values())
            live_ids = frozenset(each.id for each in live if each is not None)
        has_other_lines = scene.only != self.viewport.filter.only
        if (width, live_ids) != (self._service_width, self._live_ids) or has_other_lines:
            self._service_width, self._live_ids = width, live_ids
            if has_other_lines:
                self.filter_by(replace(self.viewport.filter, only=scene.only))
            self.fit()

    def flush(self, now: datetime) -> None:
        """Shows what has come since the last tick."""
        if not self.size:
            return
        tally = self._store.tally(self.stream)
        self._flushed = (tally.total, tally.errors())
        is_second_over = int(now.timestamp()) != int(self._now.timestamp())
        self._now = now
        if self.viewport.settle():
            self.draw()
        if is_second_over and self._time is TimeMode.AGO:
            self.restyle()
        self._ticks += 1
        if self.advance_search() or self._ticks % _FRAME_EVERY == 0:
            self.tell_scroll_bar()
            self.settle_marks()
            self.draw_frame()

    @property
    def unseen(self) -> int:
        """How many lines have come since it was last on the screen."""
        return max(0, self._store.tally(self.stream).total - self._flushed[0])

    @property
    def errors_unseen(self) -> int:
        """How many errors have come since it was last on the screen."""
        return max(0, self._store.tally(self.stream).errors() - self._flushed[1])

    # Looks

    def make_look(self, ink: Ink) -> LineLook:
        """How lines look from now on."""
        has_services = self.viewport.filter.only is None
        return LineLook(
            width=self.scrollable_size.width,
            gutter=self.size.width - self.scrollable_size.width,
            glyphs=self.glyphs,
            ink=ink,
            now=self._now,
            time=self._time,
            service_width=self._service_width if has_services else 0,
            live_ids=self._live_ids,
            skip=self._skip,
            pattern=self.search.pattern if self.search is not None else None,
            marks=self.marked,
            is_wrapped=self._is_wrapped,
        )

    def why_empty(self) -> str:
        """Why there is no line to see."""
        tally = self._store.tally(self.stream)
        return log_words.why_empty(self.stream, self.viewport, tally, self._scene)

    def draw_frame(self) -> None:
        """Says in the border where the view is, and what hides or marks lines."""
        tally = self._store.tally(self.stream)
        self.frame(
            log_words.title(self._number, self.stream, self.viewport.filter.only),
            log_words.subtitle(
                self.viewport, self.search, tally, self._notes(), is_linked=self.is_linked
            ),
        )
        reason = "" if self.viewport.rows else self.why_empty()
        if reason != self._reason:
            self._reason = reason
            self.draw()

    def _notes(self) -> list[str]:
        """What is different about how lines look."""
        marked = len(self.marks.numbers)
        notes = {
            log_words.counted(marked, "mark"): marked,
            "json": self.reads_json,
            f"from column {self._skip + 1}": self._skip,
        }
        return [note for note, holds in notes.items() if holds]

    def moved(self) -> None:
        """The view has moved."""
        super().moved()
        self.draw_frame()

    def use_look(self, time: TimeMode, *, is_wrapped: bool) -> None:
        """How lines look from now on."""
        self._time = time
        self._is_wrapped = is_wrapped
        self._skip = 0
        self.fit()

    def _choose_look(self, time: TimeMode, *, is_wrapped: bool) -> None:
        self.use_look(time, is_wrapped=is_wrapped)
        self.post_message(self.LookChanged(time, is_wrapped=is_wrapped))

    def action_time(self) -> None:
        """The next way to show when a line was written."""
        self._choose_look(self._time.next, is_wrapped=self._is_wrapped)

    def action_wrap(self) -> None:
        """Long lines on several rows, or cut at the edge."""
        self._choose_look(self._time, is_wrapped=not self._is_wrapped)

    # Moving

    def tell_place(self) -> None:
        """Has the linked panes go along, and the border around this one follow soon."""
        self.post_message(self.Went(self))

    def go_along(self, second: str | None) -> None:
        """Goes where a linked pane has gone: to a second, or to the newest lines."""
        before = self.viewport.cursor
        if second is None:
            self.viewport.follow()
        else:
            self.viewport.go_to_second(second)
        if second is None or self.viewport.cursor != before:
            self.moved()

    def action_link(self) -> None:
        """Has the other panes go along, or no longer."""
        self.post_message(self.LinkTurned(self))

    def action_follow(self) -> None:
        """Follows the newest lines; under a selection they would slide away, so it ends."""
        if self.text_selection is not None:
            self.screen.clear_selection()
        self.viewport.follow()
        self.went()

    def action_oldest(self) -> None:
        """The oldest line that is kept."""
        self.viewport.oldest()
        self.went()

    def action_cursor(self, step: int) -> None:
        """The next line, or the one before."""
        self.viewport.move_cursor(step)
        self.went()

    def action_page(self, pages: float) -> None:
        """Moves by pages."""
        self.viewport.page(pages)
        self.went()

    def action_minute(self, step: int) -> None:
        """One minute back or forward, from the line that was chosen."""
        row = self.viewport.chosen
        at = moment(row.record.at) if row is not None else None
        if row is None or at is None:
            return
        self.viewport.go_to_time(stamp(at + timedelta(minutes=step)), row.number, step)
        self.went()

    def action_sideways(self, step: int) -> None:
        """Half a screen to the left or right."""
        self.shift_by(step * max(self.look.text_width // 2, 1))

    def shift_by(self, cells: int) -> None:
        """Moves the text sideways, at most until the longest line ends."""
        if self._is_wrapped:
            return
        longest = max((cell_len(row.record.shown) for row in self.viewport.rows), default=0)
        most = max(longest - self.look.text_width // 2, self._skip if cells < 0 else 0, 0)
        skip = max(0, min(self._skip + cells, most))
        if skip != self._skip:
            self._skip = skip
            self.restyle()
            self.draw_frame()

    def action_clear(self) -> None:
        """Forgets the lines of this stream."""
        self._store.clear(self.stream)
        self._flushed = (0, 0)
        self.viewport.follow()
        self.filter_by(self.viewport.filter)
