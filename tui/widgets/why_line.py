"""The line that says what is awaited, and what happens next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.view.why import why
from tui.widgets.painting import RowsView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.view.pieces import Row
    from tui.view.scene import Scene


class WhyLine(RowsView):
    """One sentence, computed from the state."""

    def rows(self, scene: Scene) -> Sequence[Row]:
        """One line."""
        return [why(scene).line(self.size.width, scene.glyphs)]
