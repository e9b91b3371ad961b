"""How far the run is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.view.run_lines import run_lines
from tui.widgets.painting import RowsView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.view.pieces import Row
    from tui.view.scene import Scene


class RunStrip(RowsView):
    """The stages of the run that goes on, or the last one; in as many lines as it has."""

    def rows(self, scene: Scene) -> Sequence[Row]:
        """One line or more."""
        return run_lines(scene, self.size.width, self.size.height)
