"""Rows to choose from, and text to scroll: what the bodies of screens are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.strip import Strip
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui.view.columns import Row, aligned
from tui.view.glyphs import ASCII, UNICODE
from tui.widgets.plain_bar import use_plain_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.widget import Widget

_MARGIN = 3
"""The sign of the cursor, and a space at each side of a row."""


def follow_screen(widget: Widget) -> None:
    """Gives a widget a scroll bar without signs, on a screen that is drawn in ASCII."""
    if widget.screen.has_class("-ascii"):
        use_plain_bar(widget)


class Rows(OptionList):
    """Options, also reached with the keys of vi."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
        Binding("g", "first", show=False),
        Binding("G", "last", show=False),
    ]

    def on_mount(self) -> None:
        """An ASCII screen has an ASCII scroll bar."""
        follow_screen(self)

    def render_line(self, y: int) -> Strip:
        """The row under the cursor has its sign, in the margin: a colour alone may not be seen."""
        strip = super().render_line(y)
        line = self.scroll_offset.y + y
        if self.highlighted is None or line >= len(self._lines):
            return strip
        if self._lines[line] != (self.highlighted, 0):
            return strip
        first, rest = strip.divide([1, strip.cell_length])
        glyphs = ASCII if self.screen.has_class("-ascii") else UNICODE
        signs = [Segment(glyphs.cursor, segment.style) for segment in first]
        return Strip.join([Strip(signs), rest])


class Listing(Vertical):
    """Aligned rows under a line of titles; a row keeps the cursor when the rows change."""

    def __init__(self, titles: Row, sign: str, gives_way: Sequence[int], id: str) -> None:  # noqa: A002 - Textual's name
        """`sign` stands for what does not fit; columns in `gives_way` get narrower first."""
        super().__init__(id=id)
        self._titles = titles
        self._sign = sign
        self._gives_way = gives_way
        self._rows: Sequence[tuple[str, Row]] = ()

    def compose(self) -> ComposeResult:
        """The titles stay where they are when the rows are scrolled."""
        yield Static(classes="titles", markup=False)
        yield Rows(markup=False, compact=True)

    @property
    def rows(self) -> Rows:
        """The list itself."""
        return self.query_one(Rows)

    @property
    def chosen(self) -> str | None:
        """The id of the row under the cursor."""
        option = self.rows.highlighted_option
        return option.id if option else None

    def fill(self, rows: Sequence[tuple[str, Row]]) -> None:
        """Shows these rows, each with its id."""
        if rows != self._rows:
            self._rows = rows
            self._draw()

    def on_resize(self, _: events.Resize) -> None:
        """Gives the columns the new room."""
        self._draw()

    def _draw(self) -> None:
        chosen = self.chosen
        cells = [self._titles, *(row for _, row in self._rows)]
        width = max(self.rows.scrollable_content_region.width - _MARGIN, 1)
        title, *lines = aligned(cells, width, self._sign, self._gives_way)
        self.query_one(".titles", Static).update(title, layout=False)
        ids = [row_id for row_id, _ in self._rows]
        if ids == [option.id for option in self.rows.options]:
            # The scroll position stays, which it does not when options are set anew.
            self._replace(lines)
            return
        self.rows.set_options(
            Option(line, id=row_id) for row_id, line in zip(ids, lines, strict=True)
        )
        if ids:
            self.rows.highlighted = ids.index(chosen) if chosen in ids else 0

    def _replace(self, lines: Sequence[Content]) -> None:
        for at, line in enumerate(lines):
            before = self.rows.get_option_at_index(at).prompt
            if not (isinstance(before, Content) and before.is_same(line)):
                self.rows.replace_option_prompt_at_index(at, line)


class Sheet(VerticalScroll):
    """Lines of text that can be scrolled."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
        Binding("g", "scroll_home", show=False),
        Binding("G", "scroll_end", show=False),
        Binding("space", "page_down", show=False),
    ]

    class Resized(Message):
        """Lines have another room now: whoever made them should make them again."""

    def __init__(self, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._shown: Content | None = None
        self._room = 0

    def compose(self) -> ComposeResult:
        """One text, so that a selection goes over all of its lines."""
        yield Static(markup=False)

    def on_mount(self) -> None:
        """An ASCII screen has an ASCII scroll bar."""
        follow_screen(self)

    def on_resize(self, _: events.Resize) -> None:
        """Says so, if lines have less or more room."""
        if self.room != self._room:
            self._room = self.room
            self.post_message(self.Resized())

    @property
    def room(self) -> int:
        """How many cells a line may take."""
        return max(self.scrollable_content_region.width, 20)

    def write(self, lines: Sequence[Content]) -> None:
        """Shows these lines if they are not what is shown already."""
        text = Content("\n").join(lines)
        if self._shown is None or not text.is_same(self._shown):
            self._shown = text
            self.query_one(Static).update(text)
