"""The rows of a log pane on the screen: drawn once, moved by wheel and scroll bar, selected."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.geometry import Offset, Region, Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from tui.logs.viewport import Viewport
from tui.logs.wrap import wrap
from tui.widgets.framing import Framed
from tui.widgets.log_lines import Ink, LineLook
from tui.widgets.plain_bar import use_plain_bar

if TYPE_CHECKING:
    from textual import events

    from tui.logs.record import Record
    from tui.logs.ring import Ring
    from tui.logs.shown import Row
    from tui.view.glyphs import Glyphs

_WHEEL_ROWS = 3
_STRIPS_KEPT = 2000
_PARTS = ("time", "service", "match", "mark", "error", "warning", "debug", "cursor", "cut")


class LogView(Framed, ScrollView, inherit_bindings=False):
    """Draws a viewport, one strip a row.

    While it follows, a frame is one repaint: Textual's own scrolling, which lays out the screen
    again at every step, only learns afterwards where the view is, for the scroll bar.
    """

    ALLOW_SELECT = True
    COMPONENT_CLASSES: ClassVar = {f"log-pane--{part}" for part in _PARTS}

    def __init__(self, ring: Ring, glyphs: Glyphs, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.glyphs = glyphs
        self.viewport = Viewport(ring)
        self.has_bar = False
        """Whether the last row is covered."""
        self._look: LineLook | None = None
        self._ink: Ink | None = None
        self._strips: dict[tuple[int, int, bool], Strip] = {}
        self._selection: Selection | None = None
        self._held: dict[int, Record] = {}
        """The selected records, for the case that the ring pushes them out."""
        self._is_painting = False
        self.set_class(glyphs.is_ascii, "-ascii")

    def on_mount(self) -> None:
        """The scroll bar is there from the first frame on."""
        if self.glyphs.is_ascii:
            use_plain_bar(self)
        self._refresh_scrollbars()

    @property
    def look(self) -> LineLook:
        """How lines look at the moment."""
        if self._look is None:
            self._look = self.make_look(self._inked())
        return self._look

    def make_look(self, ink: Ink) -> LineLook:
        """How lines look from now on."""
        raise NotImplementedError

    def why_empty(self) -> str:
        """What stands there when there is no line."""
        raise NotImplementedError

    def _inked(self) -> Ink:
        if self._ink is None:
            found = {
                part: self.get_component_rich_style(f"log-pane--{part}", partial=True)
                for part in _PARTS
            }
            selection = self.screen.get_component_rich_style("screen--selection", partial=True)
            self._ink = Ink(base=self.rich_style, selection=selection, **found)
        return self._ink

    # Changes

    def restyle(self) -> None:
        """Something about the looks of all lines has changed."""
        self._look = None
        self._strips.clear()
        self.draw()

    def notify_style_update(self) -> None:
        """The theme or the style sheet has changed."""
        super().notify_style_update()
        self._ink = self._look = None
        self._strips.clear()

    def fit(self) -> None:
        """The size, or what stands before the text, has changed."""
        self._look = None
        self._strips.clear()
        height = max(self.size.height - self.has_bar, 0)
        is_wrapped = self.is_attached and self.look.is_wrapped
        self.viewport.resize(height, self.look.text_width if is_wrapped else None)
        self.moved()

    def on_resize(self) -> None:
        """Rows and columns are counted anew."""
        self.fit()

    def draw(self) -> None:
        """Paints the rows again, but neither the frame nor the scroll bar."""
        width, height = self.scrollable_size
        self.refresh(Region(0, 0, width, height))

    def moved(self) -> None:
        """The view has moved: draws it, and tells the scroll bar."""
        self.draw()
        self.tell_scroll_bar()

    def went(self) -> None:
        """A person has gone to another place."""
        self.moved()
        self.tell_place()

    def tell_place(self) -> None:
        """Says that a person has gone to another place."""
        raise NotImplementedError

    def tell_scroll_bar(self) -> None:
        """Sets what Textual believes the scroll offset to be, without its scrolling."""
        index, last = self.viewport.place
        height = self.container_size.height
        self.set_reactive(Widget.virtual_size, Size(self.size.width, last + height))
        self.set_reactive(Widget.scroll_y, float(index))
        self.set_reactive(Widget.scroll_target_y, float(index))
        if self.show_vertical_scrollbar:
            bar = self.vertical_scrollbar
            bar.window_size = height
            bar.window_virtual_size = last + height
            bar.position = index

    @property
    def max_scroll_y(self) -> int:
        """How many records can be above the view."""
        return self.viewport.place[1]

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """The scroll bar was dragged, or a selection goes beyond the edge."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.viewport.scroll_to(round(new_value))
            self.draw()
            self.tell_place()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel."""
        self._turn(event, -_WHEEL_ROWS)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel."""
        self._turn(event, _WHEEL_ROWS)

    def _turn(self, event: events.MouseEvent, rows: int) -> None:
        event.prevent_default()
        event.stop()
        if event.shift or event.ctrl:
            self.shift_by(rows)
        else:
            self.viewport.scroll(rows)
            self.went()

    def shift_by(self, cells: int) -> None:
        """Moves the text sideways."""
        raise NotImplementedError

    # Drawing

    def render_lines(self, crop: Region) -> list[Strip]:
        """The whole widget; rows are drawn by `render_line`, through Textual's cache."""
        self._selection = self.text_selection
        self._is_painting = True
        try:
            return super().render_lines(crop)
        finally:
            self._is_painting = False

    def render_line(self, y: int) -> Strip:
        """One row.

        Asked by Textual for the place of the mouse, the same row with the place of each character:
        painting all rows with those would give every segment a style of its own, and the terminal
        codes of each would be made anew.
        """
        rows = self.viewport.rows
        if y >= len(rows):
            return self._without_row(y)
        row = rows[y]
        if not self._is_painting:
            return self.look.places(row)
        is_chosen = row.number == self.viewport.cursor
        selected = self._selected(row) if self._selection is not None else None
        if selected is not None:
            return self.look.strip(row, is_chosen=is_chosen, selected=selected)
        key = (row.number, row.part, is_chosen)
        strip = self._strips.get(key)
        if strip is None:
            if len(self._strips) >= _STRIPS_KEPT:
                self._strips.clear()
            strip = self.look.strip(row, is_chosen=is_chosen, selected=None)
            self._strips[key] = strip
        return strip

    def _without_row(self, y: int) -> Strip:
        width, ink = self.size.width, self._inked()
        if self.viewport.rows or not width:
            return Strip.blank(width, ink.base)
        reason = self.why_empty()
        starts = (*wrap(reason, width), len(reason))
        text = reason[starts[y] : starts[y + 1]].rstrip() if y < len(starts) - 1 else ""
        strip = Strip([Segment(text, ink.base + ink.time)])
        return strip.adjust_cell_length(width, ink.base)

    # Selection

    def _selected(self, row: Row) -> tuple[int, int] | None:
        assert self._selection is not None
        span = self._selection.get_span(row.number)
        if span is None:
            return None
        end = span[1] if span[1] >= 0 else len(self.look.line(row.record)) + 1
        return span[0], end

    def selection_updated(self, selection: Selection | None) -> None:
        """Rows must not slide away under a selection."""
        if selection is not None:
            self.viewport.pause()
        self._held = self._spanned(selection) if selection is not None else {}
        self.draw()

    def _spanned(self, selection: Selection) -> dict[int, Record]:
        """The selected records by their numbers, with those that were pushed out since."""
        rows = self.viewport.rows
        if not rows:
            return {}
        first = selection.start.y if selection.start is not None else rows[0].number
        last = selection.end.y if selection.end is not None else rows[-1].number
        shown = self.viewport.shown
        known = self._held | {row.number: row.record for row in rows}
        found = {each: record for each, record in known.items() if first <= each <= last}
        missing = (each for each in shown.between(first, last) if each not in found)
        return found | {each: shown.record(each) for each in missing}

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text; its lines are counted by the numbers of the records."""
        lines = []
        for number, record in sorted(self._spanned(selection).items()):
            span = selection.get_span(number)
            if span is not None:
                lines.append(self.look.line(record)[span[0] : span[1] if span[1] >= 0 else None])
        return ("\n".join(lines), "\n") if lines else None

    def on_click(self, event: events.Click) -> None:
        """One click puts the cursor on a line, two select it."""
        event.prevent_default()
        offset = event.get_content_offset(self) if event.widget is self else None
        if offset is None or offset.y >= len(self.viewport.rows):
            return
        row = self.viewport.rows[offset.y]
        if event.chain == 2:
            end = Offset(len(self.look.line(row.record)), row.number)
            self.screen.selections = {self: Selection(Offset(0, row.number), end)}
        elif self.text_selection is None and row.number in self.viewport.numbers:
            self.viewport.choose(row.number)
            self.went()
