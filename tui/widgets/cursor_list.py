"""A list drawn by line, whose cursor is on an item and not on a row number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Region, Size
from textual.scroll_view import ScrollView

from tui.widgets.framing import Framed
from tui.widgets.painting import Painter
from tui.widgets.plain_bar import use_plain_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.strip import Strip

    from tui.view.glyphs import Glyphs
    from tui.view.pieces import Row

_CURSOR = "on $panel"
_CURSOR_BLURRED = "on $surface"
"""Grounds on which every colour of a state can be read, unlike a theme's own colour of cursors."""


class CursorList(ScrollView, Framed, can_focus=True):
    """Items known by a name: they may come, go and change places, the cursor stays on its own.

    Only rows in view are made, and only those that differ from what was painted are painted.
    Subclasses say how a row looks, and what it means to choose and to open one.
    """

    ALLOW_SELECT = False

    def __init__(self, glyphs: Glyphs, *, id: str, heading_rows: int = 0) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.glyphs = glyphs
        self._heading_rows = heading_rows
        self._painter = Painter(self)
        self._order: list[str] = []
        self._cursor: str | None = None
        self._drawn: dict[int, Row] = {}

    @property
    def row_width(self) -> int:
        """The cells of a row that the scroll bar leaves; Textual tells only after a layout."""
        width, height = self.size
        has_bar = len(self._order) + self._heading_rows > height
        return width - self.styles.scrollbar_size_vertical if has_bar else width

    def draw_heading(self) -> Row:
        """The row above the items, which does not scroll."""
        return ()

    def draw_item(self, name: str, *, is_selected: bool) -> Row:
        """One item."""
        raise NotImplementedError

    def chosen(self, name: str) -> None:
        """The cursor has moved to an item."""

    def opened(self, name: str) -> None:
        """Somebody wants to see everything about an item."""

    @property
    def order(self) -> list[str]:
        """The names of the items, from top to bottom."""
        return list(self._order)

    @property
    def cursor(self) -> str | None:
        """The item that the cursor is on."""
        return self._cursor

    def set_order(self, names: Sequence[str]) -> None:
        """From now on these are the items, in this order."""
        if list(names) == self._order:
            return
        self._order = list(names)
        self.virtual_size = Size(0, len(self._order) + self._heading_rows)
        if self._cursor in self._order:
            self._scroll_to_cursor()

    def put_cursor(self, name: str | None) -> None:
        """Puts the cursor on an item, as somebody else wants it."""
        self._cursor = name
        self._scroll_to_cursor()

    def redraw(self) -> None:
        """Has those rows in view painted again that differ from what was painted."""
        width, height = self.size
        for y in range(height):
            if self._row_at(y) != self._drawn.get(y):
                self.refresh(Region(0, y, width, 1))

    def _row_at(self, y: int) -> Row:
        if y < self._heading_rows:
            return self.draw_heading()
        name = self._name_at(y)
        if name is None:
            return ()
        return self.draw_item(name, is_selected=name == self._cursor)

    def _name_at(self, y: int) -> str | None:
        index = y - self._heading_rows + self.scroll_offset.y
        is_item = y >= self._heading_rows and 0 <= index < len(self._order)
        return self._order[index] if is_item else None

    def _cursor_index(self) -> int:
        return self._order.index(self._cursor) if self._cursor in self._order else 0

    def _scroll_to_cursor(self) -> None:
        index = self._cursor_index()
        room = max(self.size.height - self._heading_rows, 1)
        top = self.scroll_offset.y
        if index < top:
            self.scroll_to(y=index, animate=False, immediate=True)
        elif index >= top + room:
            self.scroll_to(y=index - room + 1, animate=False, immediate=True)

    def _go_to(self, index: int) -> None:
        if not self._order:
            return
        name = self._order[max(0, min(index, len(self._order) - 1))]
        if name != self._cursor:
            self.put_cursor(name)
            self.redraw()
            self.chosen(name)

    def action_move(self, step: int) -> None:
        """Moves the cursor by some rows."""
        self._go_to(self._cursor_index() + step)

    def action_move_to(self, index: int) -> None:
        """Moves the cursor to a row; negative ones count from the end."""
        self._go_to(index if index >= 0 else len(self._order) + index)

    def open_chosen(self) -> None:
        """Opens the item under the cursor."""
        if self._cursor is not None:
            self.opened(self._cursor)

    def on_click(self, event: events.Click) -> None:
        """One click chooses, two open."""
        offset = event.get_content_offset(self)
        name = self._name_at(offset.y) if offset is not None else None
        if name is None:
            return
        self._go_to(self._order.index(name))
        if event.chain > 1:
            self.open_chosen()

    def on_mount(self) -> None:
        """The scroll bar has the signs of the screen."""
        use_plain_bar(self)

    def on_resize(self) -> None:
        """The cursor stays in view."""
        self._scroll_to_cursor()

    def render_line(self, y: int) -> Strip:
        """The heading, an item, or nothing."""
        drawn = self._drawn[y] = self._row_at(y)
        is_cursor = self._cursor is not None and self._name_at(y) == self._cursor
        over = (_CURSOR if self.has_focus else _CURSOR_BLURRED) if is_cursor else ""
        return self._painter.strip(drawn, self.size.width, over)

    def notify_style_update(self) -> None:
        """The theme has changed."""
        self._painter.forget()
        super().notify_style_update()
