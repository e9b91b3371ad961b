"""From rows of pieces to what the terminal is sent, and a widget that shows such rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.geometry import Region
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from tui.view.glyphs import UNICODE
from tui.view.pieces import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style as RichStyle
    from textual.selection import Selection

    from tui.view.glyphs import Glyphs
    from tui.view.pieces import Row
    from tui.view.scene import Scene


class Painter:
    """Turns rows into strips; keeps every style, because the same few are used all the time."""

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._styles: dict[tuple[str, str], RichStyle] = {}

    def forget(self) -> None:
        """The theme has changed."""
        self._styles.clear()

    def style(self, text: str, over: str = "") -> RichStyle:
        """A style such as `bold $state-failed`, on the widget's own with `over` between them."""
        key = (text, over)
        found = self._styles.get(key)
        if found is None:
            base = self._widget.visual_style
            for each in (over, text):
                base += Style.parse(each) if each else None
            found = self._styles[key] = base.rich_style
        return found

    def strip(self, row: Row, width: int, over: str = "") -> Strip:
        """One line of exactly so many cells; `over` is under the styles of all pieces."""
        segments = [Segment(text, self.style(style, over)) for text, style in row]
        return Strip(segments).adjust_cell_length(width, self.style("", over))


class RowsView(Widget):
    """Shows rows of pieces, and paints again only the rows that have changed.

    Subclasses say by `rows` what a scene looks like; how often it is shown does not matter.
    """

    ALLOW_SELECT: ClassVar[bool] = True

    def __init__(
        self,
        glyphs: Glyphs = UNICODE,
        *,
        id: str | None = None,  # noqa: A002 - Textual's own name
    ) -> None:
        super().__init__(id=id)
        self.glyphs = glyphs
        self._painter = Painter(self)
        self._rows: list[Row] = []
        self._scene: Scene | None = None

    def rows(self, scene: Scene) -> Sequence[Row]:
        """What the scene looks like in the room there is."""
        raise NotImplementedError

    def show(self, scene: Scene) -> None:
        """Draws what differs from before."""
        self._scene = scene
        # Nobody sees what has no room at all, and its rows would be made for nothing.
        if self.size:
            self.show_rows(self.rows(scene))

    def on_resize(self) -> None:
        """Gives the rows the new room."""
        if self._scene is not None:
            self.show(self._scene)

    @property
    def text(self) -> str:
        """What is shown, without styles."""
        return "\n".join(plain(row).rstrip() for row in self._rows)

    def show_rows(self, rows: Sequence[Row]) -> None:
        """From now on these are shown."""
        before, self._rows = self._rows, list(rows)
        if before == self._rows:
            return
        width = self.size.width
        for y in range(max(len(before), len(self._rows))):
            if before[y : y + 1] != self._rows[y : y + 1]:
                self.refresh(Region(0, y, width, 1))

    def render_line(self, y: int) -> Strip:
        """One row."""
        row = self._rows[y] if y < len(self._rows) else ()
        selection = self.text_selection
        span = selection.get_span(y) if selection is not None else None
        if span is not None:
            row = _marked(row, *span)
        return self._painter.strip(row, self.size.width).apply_offsets(0, y)

    def notify_style_update(self) -> None:
        """The theme has changed."""
        self._painter.forget()
        super().notify_style_update()

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text, for copying."""
        return selection.extract(self.text), "\n"


def _marked(row: Row, start: int, end: int) -> Row:
    """The row with the characters from `start` to `end` reversed; `end` -1 is the end of it."""
    text = plain(row)
    end = len(text) if end < 0 else end
    marked: list[tuple[str, str]] = []
    at = 0
    for piece, style in row:
        first, last = max(start - at, 0), max(end - at, 0)
        parts = ((piece[:first], ""), (piece[first:last], " reverse"), (piece[last:], ""))
        marked += [(part, f"{style}{more}".strip()) for part, more in parts if part]
        at += len(piece)
    return tuple(marked)
