"""The part of a log pane that finds lines: search, filter, level, marks, and where to type."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from textual.actions import SkipAction

from tui.logs.filter import Filter
from tui.logs.levels import Level
from tui.logs.marks import Marks
from tui.logs.pattern import Pattern, PatternError, is_unfinished
from tui.logs.search import Search
from tui.logs.structured import as_it_is, compact
from tui.widgets.log_bar import LogBar
from tui.widgets.log_view import LogView

if TYPE_CHECKING:
    from tui.logs.ring import Ring
    from tui.view.glyphs import Glyphs

_SEARCH, _FILTER = "search", "filter"


class LogFinder(LogView):
    """A search shows where words are and goes from one to the next; a filter hides other lines."""

    def __init__(self, ring: Ring, glyphs: Glyphs, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(ring, glyphs, id=id)
        self.search: Search | None = None
        self.marks = Marks(ring)
        self.marked: frozenset[int] = frozenset()
        """The marks that are drawn; while it stands still, those of lines that are gone as well."""
        self._ring = ring
        self._bar: LogBar | None = None
        self._is_looking = False
        """Whether the first match is still to be gone to."""

    def draw_frame(self) -> None:
        """Says in the border what hides or marks lines."""
        raise NotImplementedError

    @property
    def is_container(self) -> bool:
        """Only with a bar: a scroll view does not show children otherwise."""
        return self.has_bar

    # Finding

    def advance_search(self) -> bool:
        """Looks at some more lines; whether there is anything new to tell."""
        if self.search is None or not self.search.advance():
            return False
        if self._is_looking:
            self._go_to_newest()
        self._tell_bar()
        return True

    def search_for(self, pattern: Pattern | None) -> None:
        """Marks the lines with a pattern; None marks none."""
        shown = self.viewport.shown
        self.search = (
            Search(self._ring, pattern, shown.filter, shown.reading)
            if pattern is not None
            else None
        )
        self._is_looking = False
        self.restyle()
        self.draw_frame()

    def filter_by(self, wanted: Filter) -> None:
        """Takes another filter; the search goes on in what it shows."""
        self.viewport.show(wanted)
        self._search_again()
        self.moved()

    def _search_again(self) -> None:
        if self.search is not None:
            shown = self.viewport.shown
            self.search = Search(self._ring, self.search.pattern, shown.filter, shown.reading)

    @property
    def reads_json(self) -> bool:
        """Whether lines that are JSON are read as such."""
        return self.viewport.shown.reading is compact

    def action_json(self) -> None:
        """Reads lines that are JSON as such, or as they are; a selection counted other letters."""
        if self.text_selection is not None:
            self.screen.clear_selection()
        self.viewport.read(as_it_is if self.reads_json else compact)
        self._search_again()
        self.restyle()
        self.moved()

    def action_match(self, step: int) -> None:
        """The next line that is searched for, or the one before."""
        chosen = self.viewport.chosen
        if self.search is None or chosen is None:
            self.notify("nothing is searched for: / does", markup=False)
            return
        number = self.search.step(chosen.number, step)
        if number is not None:
            self.viewport.choose(number)
        self.went()

    def action_mark(self) -> None:
        """Marks the line under the cursor, or takes its mark away."""
        chosen = self.viewport.chosen
        if chosen is None:
            return
        if self.marks.turn(chosen.number):
            self._draw_marks()
        else:
            self.notify("this line is not kept any more", markup=False)

    def _draw_marks(self) -> None:
        self.marked = self.marks.numbers
        self.fit()

    def settle_marks(self) -> None:
        """Takes away the column of the marks when the last one is gone."""
        if self.marked and self.viewport.is_following and self.marked != self.marks.numbers:
            self._draw_marks()

    def action_next_mark(self) -> None:
        """The next marked line, from the oldest on again."""
        chosen = self.viewport.chosen
        start = chosen.number if chosen is not None else 0
        number = self.marks.after(start, self.viewport.shown)
        if number is not None:
            self.viewport.choose(number)
            self.went()
        elif self.marks.numbers:
            self.notify("the filter hides the marked lines", markup=False)
        else:
            self.notify("no line is marked: m does", markup=False)

    def _go_to_newest(self) -> None:
        """Goes to the newest match that is not below the view."""
        rows = self.viewport.rows
        number = self.search.newest(rows[-1].number) if self.search is not None and rows else None
        self._is_looking = number is None and self.search is not None
        if number is not None:
            self.viewport.choose(number)
            self.went()

    def action_level(self) -> None:
        """The next least level."""
        shown = self.viewport.filter
        self.filter_by(replace(shown, level=Level((shown.level + 1) % len(Level))))

    def action_clear_search(self) -> None:
        """Takes back the selection, else the search, else the filter."""
        shown = self.viewport.filter
        if self.text_selection is not None:
            self.screen.clear_selection()
        elif self.search is not None:
            self.search_for(None)
        elif shown.typed:
            self.filter_by(Filter.read("", shown.level, shown.only))
        else:
            raise SkipAction

    # The line to type in

    def action_search(self) -> None:
        """Opens the line to search in."""
        typed = self.search.pattern.typed if self.search is not None else ""
        self._open(LogBar(_SEARCH, typed, "text or /expression/"))

    def action_filter(self) -> None:
        """Opens the line to filter in."""
        typed = self.viewport.filter.typed
        self._open(LogBar(_FILTER, typed, "text, /expression/ or !without"))

    def _open(self, bar: LogBar) -> None:
        if self._bar is not None:
            self._bar.remove()
        self._bar = bar
        self.has_bar = True
        self.mount(bar)
        self.fit()

    def on_log_bar_changed(self, event: LogBar.Changed) -> None:
        """Searches or filters while it is typed, but for an expression that is not ended yet."""
        event.stop()
        if is_unfinished(event.text):
            event.bar.tell("/ ends the expression")
        else:
            self._take(event.bar, event.text)

    def _take(self, bar: LogBar, text: str) -> None:
        """Searches or filters; what is no expression is told, and leaves the one before."""
        shown = self.viewport.filter
        try:
            if bar.purpose == _SEARCH:
                self.search_for(Pattern.read(text))
            else:
                self.filter_by(Filter.read(text, shown.level, shown.only))
        except PatternError as error:
            bar.tell(str(error), is_error=True)
        else:
            self._tell_bar()

    def _tell_bar(self) -> None:
        if self._bar is None:
            return
        if self._bar.purpose == _SEARCH:
            self._bar.tell(self.search.describe(None) if self.search is not None else "")
        else:
            hidden = self.viewport.hidden_count
            self._bar.tell(f"hides {hidden:,}" if self.viewport.filter.typed else "")

    def on_log_bar_closed(self, event: LogBar.Closed) -> None:
        """Back to the lines; a search that was entered goes to its newest match."""
        event.stop()
        if event.bar is not self._bar:
            return
        if event.is_accepted and is_unfinished(event.bar.input.value):
            self._take(event.bar, event.bar.input.value)
        self._bar = None
        self.has_bar = False
        event.bar.remove()
        self.focus(scroll_visible=False)
        self.fit()
        if event.is_accepted and event.bar.purpose == _SEARCH:
            self._go_to_newest()
