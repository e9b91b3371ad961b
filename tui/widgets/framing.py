"""Titles in a border, cut to what the border has room for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widget import Widget

from tui.view.glyphs import UNICODE
from tui.view.pieces import fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.view.glyphs import Glyphs
    from tui.view.pieces import Piece, Row

_CORNERS = 6
"""Cells of the edge that a title cannot have: corners, blanks, and one piece of line each side."""


class Framed(Widget):
    """A widget with a border whose titles are data, not markup.

    Textual would end a title that is too long with a sign that ASCII terminals do not have. It also
    takes default styles from the first base class only, so this one is never named first.
    """

    glyphs: Glyphs = UNICODE
    _framed: tuple[Row, Row] | None = None

    def frame(self, title: Sequence[Piece], subtitle: Sequence[Piece] = ()) -> None:
        """Sets both titles, if they differ from what they are."""
        room = max(self.outer_size.width - _CORNERS, 0)
        rows = (fit(title, room, self.glyphs.cut), fit(subtitle, room, self.glyphs.cut))
        if rows == self._framed:
            return
        self._framed = rows
        # Every assignment paints the whole widget again.
        self.border_title = Content.assemble(*rows[0])
        self.border_subtitle = Content.assemble(*rows[1])
